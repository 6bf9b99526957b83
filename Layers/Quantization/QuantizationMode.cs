namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>Quantisation of a model's linear layers on loading.</summary>
public enum QuantizationMode
{
    /// <summary>Weights stay as stored.</summary>
    None,

    /// <summary>Dynamic int8: see <see cref="DynamicQuantization"/>.</summary>
    Int8,
}
