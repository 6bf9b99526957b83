using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>A function of each element: y = f(x), x of any shape.</summary>
/// <param name="Function">f.</param>
/// <remarks>Error of every function ≤ 1e-6 · max(1, |f(x)|), see <see cref="UnaryFunction"/>.</remarks>
public sealed record Unary(UnaryFunction Function) : Op
{
    private static readonly KernelSet Set = new("unary", SimdKernel.Variant<UnaryCpu>(), UnaryGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x");
        return inputs[0];
    }
}
