using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>How a model's components are loaded.</summary>
/// <param name="DType">The type that models without a type of their own compute in.</param>
/// <param name="Compile">How they are compiled.</param>
/// <param name="Quantize">Quantization of linear layers and 1×1 convolutions.</param>
/// <param name="Variant">The requested variant of the weights; null for none.</param>
/// <param name="LoadWeights">Whether weights are loaded; see <see cref="PipelineOptions.LoadWeights"/>.</param>
public sealed record ModelSettings(DType DType, CompileOptions Compile, QuantizationMode Quantize, string? Variant,
    bool LoadWeights = true)
{
    /// <summary>How attention is computed in all components.</summary>
    public AttentionOptions Attention { get; init; }

    /// <summary>The autoencoder's type; null for <see cref="DType"/>, or Float32 where its configuration requires it.</summary>
    public DType? VaeDType { get; init; }

    /// <summary>The text encoders' type; null for <see cref="DType"/>.</summary>
    public DType? TextEncoderDType { get; init; }

    /// <summary>How models that compute in Float32 multiply.</summary>
    public Float32Precision Float32Precision { get; init; }

    /// <summary>Why the models compute in <see cref="DType"/>, for reports.</summary>
    public string DTypeReason { get; init; } = ComponentPrecision.Requested;

    /// <summary>The parts to quantise.</summary>
    public QuantizedParts QuantizeParts { get; init; } = QuantizedParts.Denoiser;

    /// <summary>Their layers to quantise; null for <see cref="QuantizationFilter.All"/>.</summary>
    public QuantizationFilter? QuantizeFilter { get; init; }
}
