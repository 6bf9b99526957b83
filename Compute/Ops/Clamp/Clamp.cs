using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>y = min(max(x, low), high) for each element; x of any shape. NaN stays NaN.</summary>
/// <param name="Low">Smallest result.</param>
/// <param name="High">Largest result.</param>
public sealed record Clamp(double Low, double High) : Op
{
    private static readonly KernelSet Set = new("clamp", SimdKernel.Variant<ClampCpu>(), ClampGpu.Variant);

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
