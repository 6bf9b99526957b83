namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One call of a layer that is compiled separately: consecutive ops of a trace with a single result.</summary>
/// <param name="Call">The call.</param>
/// <param name="Arguments">Values from outside that its ops use, in order of first use.</param>
/// <param name="Weights">Weights that its ops use, in order of first use.</param>
/// <param name="Signature">Equal for calls that can share a compilation.</param>
internal sealed record Region(LayerCall Call, Value[] Arguments, Parameter[] Weights, RegionSignature Signature)
{
    /// <summary>A call as a region; null if other ops than the caller's use its inner values.</summary>
    /// <param name="source">The trace.</param>
    /// <param name="call">One of its calls.</param>
    /// <param name="lastUse">For each value, the index of the last op that uses it.</param>
    public static Region? Of(Graph source, LayerCall call, IReadOnlyDictionary<Value, int> lastUse)
    {
        var parts = new List<object> { call.Layer.GetType() };
        var (arguments, weights) = (new List<Value>(), new List<Parameter>());
        var places = new Dictionary<Value, int>(); // inner values: index of their op; others: −1, −2 … in order of first use
        for (int i = call.First; i < call.End; i++)
        {
            var node = source.Nodes[i];
            if (node.Output != call.Result && lastUse.GetValueOrDefault(node.Output, -1) >= call.End) return null;
            parts.Add(node.Op);
            parts.Add(node.Path[call.Path.Length..]);
            foreach (var input in node.Inputs)
            {
                if (!places.TryGetValue(input, out int place))
                {
                    places.Add(input, place = -1 - arguments.Count - weights.Count);
                    parts.Add(input.Type);
                    parts.Add(input.IsLoopInvariant);
                    parts.Add(input.Parameter is not null);
                    if (input.Parameter is { } weight) weights.Add(weight);
                    else arguments.Add(input);
                }

                parts.Add(place);
            }

            places.Add(node.Output, i - call.First);
        }

        if (!places.TryGetValue(call.Result, out int result) || result < 0) return null; // it returns one of its arguments
        parts.Add(result);
        return new Region(call, [.. arguments], [.. weights], new RegionSignature([.. parts]));
    }
}

/// <summary>
/// What a block's compilation depends on: the layer's class, its ops with their attributes and connections, and the types of its arguments
/// and weights. Computed from the ops: a layer changed by quantisation or an adapter has other ops, and so another signature.
/// </summary>
internal sealed class RegionSignature : IEquatable<RegionSignature>
{
    private readonly object[] parts;
    private readonly int hash;

    public RegionSignature(object[] parts)
    {
        this.parts = parts;
        var code = new HashCode();
        foreach (object part in parts) code.Add(part);
        hash = code.ToHashCode();
    }

    /// <inheritdoc/>
    public bool Equals(RegionSignature? other) => other is not null && hash == other.hash && parts.AsSpan().SequenceEqual(other.parts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RegionSignature);

    /// <inheritdoc/>
    public override int GetHashCode() => hash;
}
