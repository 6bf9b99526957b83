using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Scales the lowest frequencies of every channel of an image x [n, h, w, c] by <paramref name="Scale"/>: those with the vertical and the
/// horizontal frequency in {−1, 0}. The result is the real part, as in diffusers' <c>fourier_filter</c> with threshold 1, which FreeU uses.
/// </summary>
/// <param name="Scale">Factor of the low frequencies; 1 changes nothing.</param>
/// <remarks>
/// Si et al., 2023 (arXiv:2309.11497). With only four frequencies no FFT is needed: y = x + (s − 1) · Σ over them of
/// (C cos θ + S sin θ) / hw, where θ = −2π(uy/h + vx/w), C = Σ x cos θ and S = Σ x sin θ. Relative error ≤ 1e-5 of the input's rms.
/// </remarks>
public sealed record FourierFilter(double Scale) : Op
{
    private static readonly KernelSet Set = new("fourier_filter",
        CpuKernel.Variant("cpu/direct", FourierFilterCpu.Bind, FourierFilterCpu.ScratchBytes), FourierFilterGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 4, "[n, h, w, c]");
        return inputs[0];
    }
}
