using ILGpuDiffusion.Layers.Quantization;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>A component of a model that has int8 weights.</summary>
/// <param name="Name">The component: <c>unet</c>, <c>vae</c> …</param>
/// <param name="Mode">How it computes with them.</param>
/// <param name="Layers">Number of layers with int8 weights.</param>
/// <param name="QuantizedLayers">Number of those that were quantised on loading; 0 if they are stored in int8.</param>
/// <param name="OriginalBytes">Bytes of the weights that were quantised on loading, as stored.</param>
/// <param name="Bytes">Bytes of the layers with int8 weights, with their scales and biases.</param>
public sealed record QuantizedComponent(string Name, QuantizationMode Mode, int Layers, int QuantizedLayers, long OriginalBytes,
    long Bytes);
