using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Dynamic thresholding per entry of the outermost dimension: s is the quantile of |x| at the ratio, clamped to [1, maximum];
/// y = min(max(x, −s), s) / s. x [n, …] → [n, …].
/// </summary>
/// <param name="Ratio">The quantile, between 0 and 1, interpolated linearly.</param>
/// <param name="MaxValue">Largest s.</param>
/// <remarks>Saharia et al., 2022 (Imagen, arXiv:2205.11487), as in diffusers' <c>_threshold_sample</c>.</remarks>
public sealed record DynamicThreshold(double Ratio, double MaxValue) : Op
{
    private static readonly KernelSet Set = new("dynamic_threshold", SimdKernel.Variant<DynamicThresholdCpu>(),
        DynamicThresholdGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat32(inputs[0], "x", 2);
        Check(Ratio is >= 0 and <= 1, "ratio", Ratio, "between 0 and 1");
        return inputs[0];
    }
}
