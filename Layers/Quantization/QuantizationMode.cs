namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>What a model's linear layers are turned into when it is loaded.</summary>
public enum QuantizationMode
{
    /// <summary>They stay as they are stored.</summary>
    None,

    /// <summary>Dynamic int8: see <see cref="DynamicQuantization"/>.</summary>
    Int8,
}
