using System.Globalization;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A trace with reads, as compiled parts that run one after the other. A part is recorded when it is first reached, once per answer; only
/// then is it known which values the parts before it must pass on.
/// </summary>
internal sealed class SplitGraph
{
    private const int MostParts = 64; // with more parts, the number read differs each time, and keeping all would exhaust memory
    private readonly Dictionary<string, SplitPart> parts = [];
    private readonly Func<Graph, CompiledGraph> compile;
    private readonly CompileNotes notes;
    private readonly Lock gate = new();

    public SplitGraph(Graph source, ArenaPool arenas, CompileOptions options, CompileNotes notes)
    {
        (Source, this.notes, compile) = (source, notes, graph => new CompiledGraph(graph, arenas, options));
        var first = new SplitPart(source, null);
        first.HandOn([], compile);
        parts.Add(Key([]), first);
    }

    /// <summary>The graph up to the first read.</summary>
    public Graph Source { get; }

    /// <summary>The first part of every run.</summary>
    public SplitPart First
    {
        get
        {
            lock (gate) return parts[Key([])];
        }
    }

    /// <summary>All parts so far, as currently compiled.</summary>
    public IReadOnlyList<CompiledGraph> Compiled
    {
        get
        {
            lock (gate) return [.. parts.Values.Select(part => part.Current.Compiled)];
        }
    }

    /// <summary>
    /// The part that follows some answers, recorded and compiled if it is new; earlier parts are recompiled to pass on what it needs.
    /// </summary>
    /// <param name="answers">The answers; the last one answers the read at the end of <paramref name="before"/>.</param>
    /// <param name="before">The preceding part.</param>
    public SplitPart Next(IReadOnlyList<double> answers, SplitPart before)
    {
        lock (gate)
        {
            if (parts.TryGetValue(Key(answers), out var part)) return part;
            if (parts.Count >= MostParts)
            {
                notes.Add($"{Source.Name}: more than {MostParts} continuations after values were read; old ones are discarded and compiled "
                    + $"again when needed. {nameof(Functional)}.{nameof(Functional.Test)} needs only two.");
                foreach (string key in parts.Keys.Where(key => key.Length > 0).ToArray()) parts.Remove(key);
            }

            parts.Add(Key(answers), part = new SplitPart(before.Break!.Continue(answers[^1]), before));
            part.HandOn([], compile);
            for (var earlier = before; earlier is not null; earlier = earlier.Before) earlier.HandOn(part.Current.Slice.Needed, compile);
            return part;
        }
    }

    private static string Key(IEnumerable<double> answers) =>
        string.Join(';', answers.Select(a => a.ToString("R", CultureInfo.InvariantCulture)));
}
