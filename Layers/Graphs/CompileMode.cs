namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>What a compiled graph may do beyond its passes; PyTorch's modes of <c>torch.compile</c>.</summary>
public enum CompileMode
{
    /// <summary>Passes, and one launch after the other.</summary>
    Default,

    /// <summary>As <see cref="Default"/>, with a run's launches recorded once and replayed as one: a CUDA graph. Other devices have nothing to replay and say so in <see cref="CompileReport.Notes"/>.</summary>
    ReduceOverhead,

    /// <summary>As <see cref="ReduceOverhead"/>, with tiles chosen by measurement: <see cref="CompileOptions.CoordinateDescentTuning"/>.</summary>
    MaxAutotune,
}
