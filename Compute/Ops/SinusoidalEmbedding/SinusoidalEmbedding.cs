using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Sines and cosines of a number at falling frequencies: f(j) = exp(−ln(period) · j / (half − shift)) for j = 0 … half − 1, half = channels
/// / 2; the first half of the result is sin(scale · t · f), the second cos(scale · t · f), or the other way round. t Float32 [..., k] →
/// [..., k · channels]: the embeddings of the k numbers are concatenated.
/// </summary>
/// <param name="Channels">Width of one embedding; the last element is 0 when it is odd.</param>
/// <param name="FlipSinToCos">Whether the cosines come first.</param>
/// <param name="DownscaleFreqShift">shift.</param>
/// <param name="Scale">scale.</param>
/// <param name="MaxPeriod">period.</param>
/// <remarks>diffusers' <c>get_timestep_embedding</c>, in float32 arithmetic like the original: an angle of 1000 has an error of up to 6e-5
/// in both.</remarks>
public sealed record SinusoidalEmbedding(int Channels, bool FlipSinToCos, double DownscaleFreqShift, double Scale = 1,
    int MaxPeriod = 10000) : Op
{
    private static readonly KernelSet Set = new("timestep_embedding", CpuKernel.Variant("cpu/simd", SinusoidalEmbeddingCpu.Bind),
        SinusoidalEmbeddingGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat32(inputs[0], "t", 1);
        Check(Channels >= 2, "channels", Channels, "at least 2");
        return inputs[0].WithLast(inputs[0].Last * Channels);
    }
}
