namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>What a compiled graph does beyond its passes; the modes of PyTorch's <c>torch.compile</c>.</summary>
public enum CompileMode
{
    /// <summary>Passes only; launches run one after the other.</summary>
    Default,

    /// <summary>
    /// As <see cref="Default"/>, with a run's launches recorded once and replayed as one: a CUDA graph. No effect on other devices, which
    /// <see cref="CompileReport.Notes"/> reports.
    /// </summary>
    ReduceOverhead,

    /// <summary>
    /// As <see cref="ReduceOverhead"/>, with kernel settings chosen by measurement: <see cref="CompileOptions.CoordinateDescentTuning"/>.
    /// </summary>
    MaxAutotune,
}
