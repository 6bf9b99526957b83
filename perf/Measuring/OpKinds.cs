namespace ILGpuDiffusion.Measuring;

/// <summary>Ops by what they are to a reader of a profile, the same for every engine.</summary>
public static class OpKinds
{
    /// <summary>The kind of an op by its name, fused parts beside the main one, <c>upsample+</c> or behind a <c>+</c>, left out.</summary>
    public static string Of(string op) => op.Replace("upsample+", "", StringComparison.Ordinal).Split('+')[0] switch
    {
        "matmul" or "gated_matmul" or "grouped_matmul" or "quantized_matmul" or "quantize" or "quantize_scale" => "linear",
        "conv2d" => "convolution",
        "attention" => "attention",
        "group_norm" or "layer_norm" or "rms_norm" => "norm",
        _ => "other",
    };
}
