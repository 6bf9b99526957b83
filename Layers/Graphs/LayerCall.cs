namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One call of a layer while tracing. Ops are recorded in order, so a call is a run of consecutive ones.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Path">Its path.</param>
/// <param name="First">Index of its first op in <see cref="Graph.Nodes"/>.</param>
/// <param name="Count">Number of its ops.</param>
/// <param name="Result">What it returned.</param>
internal sealed record LayerCall(Layer Layer, string Path, int First, int Count, Value Result)
{
    /// <summary>Index after its last op.</summary>
    public int End => First + Count;

    /// <summary>Whether both have ops in common.</summary>
    public bool Overlaps(LayerCall other) => First < other.End && other.First < End;
}
