using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>y = x · scale + offset for each element; x of any shape.</summary>
/// <param name="Scale">Factor, rounded to float32.</param>
/// <param name="Offset">Summand, rounded to float32.</param>
public sealed record Affine(double Scale, double Offset) : Op
{
    private static readonly KernelSet Set = new("affine", SimdKernel.Variant<AffineCpu>(), AffineGpu.Variant);

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
