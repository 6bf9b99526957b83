using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>What quantising one layer to int8 costs in accuracy; see <see cref="QuantizationReport"/>.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="WeightDecibels">Signal-to-noise ratio of the int8 weights, 10·log₁₀(Σw² / Σ(w − ŵ)²); infinite if they are exact.</param>
/// <param name="OutputDecibels">The ratio of the layer's results, without bias, for standard normal inputs, which have no outliers: real
/// inputs may fare worse.</param>
public sealed record LayerNoise(QuantizableLayer Layer, double WeightDecibels, double OutputDecibels);
