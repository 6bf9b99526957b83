using System.Globalization;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A part of a trace, between two reads, as a graph of its own.</summary>
/// <param name="Graph">The part. Values from earlier parts are inputs, values for later ones outputs; both are named by
/// <see cref="Name"/>.</param>
/// <param name="Needed">Indices of the values from earlier parts.</param>
internal sealed record GraphSlice(Graph Graph, IReadOnlyList<int> Needed)
{
    /// <summary>The output read at the part's end.</summary>
    public const string Read = "read";

    /// <summary>Extracts a part.</summary>
    /// <param name="whole">The trace.</param>
    /// <param name="from">Index of its first op.</param>
    /// <param name="to">Index after its last op.</param>
    /// <param name="read">The value that is read at the end; null for the last part.</param>
    /// <param name="handedOn">Values that later parts need.</param>
    public static GraphSlice Cut(Graph whole, int from, int to, Value? read, IReadOnlyCollection<Value> handedOn)
    {
        var copy = new GraphCopy(new Graph(whole.Name));
        var needed = new List<int>();
        Node[] nodes = [.. whole.Nodes.Skip(from).Take(to - from)];
        Value[] results = [.. read is null ? whole.Outputs.Values : [read], .. handedOn];
        var own = nodes.Select(node => node.Output).ToHashSet();
        var names = whole.Inputs.ToDictionary(input => input.Value, input => input.Key);
        foreach (var value in nodes.SelectMany(node => node.Inputs).Concat(results)
            .Where(value => !own.Contains(value) && !copy.Has(value)))
        {
            bool fromCaller = names.TryGetValue(value, out string? name);
            copy[value] = copy.Target.Input(name ?? Name(value.Index), value.Type, value.IsLoopInvariant && fromCaller);
            if (!fromCaller) needed.Add(value.Index);
        }

        foreach (var node in nodes) copy.Add(node);
        copy.Names(whole);
        copy.Calls(whole, from, to);
        if (read is null) copy.Outputs(whole);
        else copy.Target.Output(Read, copy[read]);
        foreach (var value in handedOn) copy.Target.Output(Name(value.Index), copy[value]);
        return new GraphSlice(copy.Target, needed);
    }

    /// <summary>Name of a value that is passed from one part to another.</summary>
    public static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"%{index}");
}
