using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>How a model's components are loaded.</summary>
/// <param name="DType">The type that the models compute in.</param>
/// <param name="Compile">How they are compiled.</param>
/// <param name="Quantize">Quantization of linear layers and 1×1 convolutions.</param>
/// <param name="Variant">The requested variant of the weights; null for none.</param>
/// <param name="LoadWeights">Whether weights are loaded; see <see cref="PipelineOptions.LoadWeights"/>.</param>
public sealed record ModelSettings(DType DType, CompileOptions Compile, QuantizationMode Quantize, string? Variant,
    bool LoadWeights = true)
{
    /// <summary>The parts to quantise.</summary>
    public QuantizedParts QuantizeParts { get; init; } = QuantizedParts.Denoiser;

    /// <summary>Their layers to quantise; null for <see cref="QuantizationFilter.All"/>.</summary>
    public QuantizationFilter? QuantizeFilter { get; init; }
}
