namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>What a weight may be stored as, and hold.</summary>
internal enum ParameterKind
{
    /// <summary>Any float type; finite values.</summary>
    Float,

    /// <summary>Float32; finite values.</summary>
    Float32,

    /// <summary>Int8; −127 to 127, so that no sum of an integer GEMM overflows.</summary>
    Int8,

    /// <summary>Float32; finite values above 0, which int8 weights are multiplied by.</summary>
    Scale,
}
