namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>Quantisation of a model's linear layers and 1×1 convolutions on loading.</summary>
public enum QuantizationMode
{
    /// <summary>Weights stay as stored.</summary>
    None,

    /// <summary>Dynamic int8: weights and activations, see <see cref="DynamicQuantization"/>.</summary>
    Int8,

    /// <summary>
    /// Int8 weights, activations as they are (torchao's <c>int8_weight_only</c>): the memory of int8 and half its error, but no integer
    /// GEMMs. It saves time where reading the weights takes it: few tokens, slow memory.
    /// </summary>
    Int8WeightOnly,
}
