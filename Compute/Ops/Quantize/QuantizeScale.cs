using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The scale of each row's dynamic int8 quantisation: x [..., K] → [..., 1] Float32, max|x| / 127, or 1 for a row of zeros.
/// </summary>
/// <remarks>Symmetric, per row (per token), as torchao's dynamic int8 quantises activations. Exact: one maximum, one division.</remarks>
public sealed record QuantizeScale : Op
{
    private static readonly KernelSet Set = new("quantize_scale", SimdKernel.Variant<QuantizeScaleCpu>(), QuantizeGpu.ScaleVariant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 1);
        return inputs[0].WithLast(1) with { DType = DType.Float32 };
    }
}
