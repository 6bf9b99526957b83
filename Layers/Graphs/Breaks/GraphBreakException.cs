namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A layer reads a value while it is traced, although <see cref="CompileOptions.FullGraph"/> is set.</summary>
public sealed class GraphBreakException : InvalidOperationException
{
    internal GraphBreakException(GraphBreak at)
        : base($"{at.Where}; with {nameof(CompileOptions.FullGraph)} the graph must be whole. Compute it with ops, or compile without "
            + $"{nameof(CompileOptions.FullGraph)}.") =>
        (Layer, Value) = (at.Layer, at.Value);

    /// <summary>Path of the layer.</summary>
    public string Layer { get; }

    /// <summary>The value read.</summary>
    public Value Value { get; }
}
