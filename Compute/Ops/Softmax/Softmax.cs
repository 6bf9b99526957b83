using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Softmax of each row: y = exp(x − max x) / Σ exp(x − max x), over the innermost dimension of x [..., width]; or its logarithm.
/// </summary>
/// <param name="Logarithm">Whether to return y = x − max x − ln Σ exp(x − max x) instead.</param>
/// <remarks>Rows that are all −∞, and rows with +∞, give NaN, as in PyTorch. Relative error ≤ 2e-6 in float32; values below 1.7e-38 become
/// 0.</remarks>
public sealed record Softmax(bool Logarithm = false) : Op
{
    private static readonly KernelSet Set = new("softmax", SimdKernel.Variant<SoftmaxCpu>(), SoftmaxGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.Attention;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 1);
        return inputs[0];
    }
}
