using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Requests;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>What a pack of a model's kernels is for.</summary>
public sealed record ModelPackOptions
{
    /// <summary>The devices; see <see cref="KernelRecorder.Open"/> for the forms of their names.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>Sizes of images; none for the model's own. Kernels take sizes at run time, so others mostly need no more.</summary>
    public IReadOnlyList<PixelSize> Sizes { get; init; } = [];

    /// <summary>Numbers of images that are generated together; none for one.</summary>
    public IReadOnlyList<int> Counts { get; init; } = [];

    /// <summary>Types that the models compute in; none for each device's own.</summary>
    public IReadOnlyList<DType> DTypes { get; init; } = [];

    /// <summary>As <see cref="PipelineOptions.Quantize"/>.</summary>
    public QuantizationMode Quantize { get; init; }

    /// <summary>As <see cref="PipelineOptions.Compile"/>. Packs do not tune: they take the results of an earlier search.</summary>
    public CompileOptions Compile { get; init; } = new();

    /// <summary>As <see cref="PipelineOptions.Variant"/>.</summary>
    public string? Variant { get; init; }

    /// <summary>As <see cref="PipelineOptions.VaeTiling"/>.</summary>
    public VaeTiling? VaeTiling { get; init; }

    /// <summary>As <see cref="PipelineOptions.Source"/>.</summary>
    public ModelSourceOptions? Source { get; init; }

    /// <summary>As <see cref="PipelineOptions.LoggerFactory"/>.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
