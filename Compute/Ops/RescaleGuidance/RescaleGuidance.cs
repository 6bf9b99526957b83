using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Rescales a guided prediction to the standard deviation of the text prediction: y = φ · guided · σ(text) / σ(guided) + (1 − φ) · guided,
/// where σ is the
/// unbiased standard deviation of one entry of the outermost dimension. guided [n, …], text [n, …], φ Float32 [1] → [n, …].
/// </summary>
/// <remarks>Lin et al., 2023 (arXiv:2305.08891, section 3.4), diffusers' <c>rescale_noise_cfg</c>. An entry of one element gives NaN, as
/// there.</remarks>
public sealed record RescaleGuidance : Op
{
    private static readonly KernelSet Set = new("rescale_guidance", SimdKernel.Variant<RescaleGuidanceCpu>(), RescaleGuidanceGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 3);
        CheckFloat32(inputs[0], "guided", 2);
        CheckFloat32(inputs[1], "text", 2);
        Check(inputs[1].MayHaveShapeOf(inputs[0]), "text", inputs[1], $"of the shape of guided, {inputs[0]}");
        Check(inputs[2].DType == DType.Float32 && inputs[2].Rank == 1 && inputs[2].Last.MayEqual(1), "phi", inputs[2], "Float32 [1]");
        return inputs[0];
    }
}
