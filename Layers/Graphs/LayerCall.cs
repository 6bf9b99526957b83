namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One call of a layer while tracing. Ops are recorded in order, so a call is a range of consecutive ops.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Path">Its path.</param>
/// <param name="First">Index of its first op in <see cref="Graph.Nodes"/>.</param>
/// <param name="Count">Number of its ops.</param>
/// <param name="Result">The returned value.</param>
internal sealed record LayerCall(Layer Layer, string Path, int First, int Count, Value Result)
{
    /// <summary>Index after its last op.</summary>
    public int End => First + Count;

    /// <summary>Whether both share ops.</summary>
    public bool Overlaps(LayerCall other) => First < other.End && other.First < End;
}
