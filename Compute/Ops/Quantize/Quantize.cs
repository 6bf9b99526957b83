using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Dynamic int8 quantisation of rows: q = round(x / scale), ties to even, within ±127; x [..., K] → [..., K] Int8, with the scale of
/// <see cref="QuantizeScale"/>.
/// </summary>
/// <remarks>The same integers on every device and for any number of threads. Also quantises weights [N, K], whose rows are output
/// channels.</remarks>
public sealed record Quantize : Op
{
    private static readonly KernelSet Set = new("quantize", SimdKernel.Variant<QuantizeCpu>(), QuantizeGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 1);
        return new TensorType(DType.Int8, inputs[0].Shape);
    }
}
