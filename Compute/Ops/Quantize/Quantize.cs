namespace ILGpuDiffusion.Compute;

/// <summary>Dynamic int8 quantisation of rows: q = round(x / scale), ties to even, within ±127; x [..., K] Float32 → [..., K] Int8, with <see cref="QuantizeScale"/>'s scale.</summary>
/// <remarks>The same integers on every device and for any number of threads. Also quantises weights [N, K], whose rows are output channels.</remarks>
public sealed record Quantize : Op
{
    private static readonly KernelSet Set = new("quantize", Simd.Variant<QuantizeCpu>());

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        Check(inputs[0].DType == DType.Float32 && inputs[0].Rank > 0, "x", inputs[0], "Float32 of at least one dimension");
        return new TensorType(DType.Int8, inputs[0].Shape);
    }
}
