namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One part of a split graph: the ops between two reads, after certain answers.</summary>
/// <param name="whole">The trace made with these answers.</param>
/// <param name="before">The preceding part; null for the first.</param>
internal sealed class SplitPart(Graph whole, SplitPart? before)
{
    private readonly int from = before?.To ?? 0;

    /// <summary>The preceding part; null for the first.</summary>
    public SplitPart? Before => before;

    /// <summary>The read at its end; null for a last part.</summary>
    public GraphBreak? Break => whole.Break;

    /// <summary>The current compilation.</summary>
    public Branch Current { get; private set; } = null!;

    private int To { get; } = whole.Nodes.Count; // a trace ends at the first unanswered read

    /// <summary>Recompiles the part if it does not yet pass on certain values.</summary>
    /// <param name="needed">Indices of the values that a later part needs.</param>
    /// <param name="compile">Compiles a graph.</param>
    public void HandOn(IEnumerable<int> needed, Func<Graph, CompiledGraph> compile)
    {
        var wanted = needed.ToHashSet();
        Value[] own = [.. whole.Nodes.Skip(from).Select(node => node.Output)
            .Where(v => wanted.Contains(v.Index) || Current?.HandedOn.Contains(v.Index) == true)];
        if (Current is not null && own.Length == Current.HandedOn.Count) return;
        var slice = GraphSlice.Cut(whole, from, To, Break?.Value, own);
        Current = new Branch(slice, compile(slice.Graph), [.. own.Select(v => v.Index)]);
    }

    /// <summary>A compilation of the part.</summary>
    /// <param name="Slice">Its ops.</param>
    /// <param name="Compiled">The compiled graph.</param>
    /// <param name="HandedOn">Indices of the values passed to later parts.</param>
    internal sealed record Branch(GraphSlice Slice, CompiledGraph Compiled, IReadOnlyList<int> HandedOn);
}
