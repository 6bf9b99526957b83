using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>How a pipeline is loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>Where it runs; null opens the best device and closes it with the pipeline.</summary>
    public Device? Device { get; init; }

    /// <summary>Which weight files to take where a folder has several, such as <c>fp16</c>; null takes the plain ones, or the only ones.</summary>
    public string? Variant { get; init; }

    /// <summary>Which passes the models' graphs go through; <see cref="CompileOptions.Eager"/> for none.</summary>
    public CompileOptions Compile { get; init; } = new();
}
