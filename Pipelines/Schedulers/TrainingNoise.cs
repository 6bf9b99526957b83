using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// ᾱ and σ of every training timestep. diffusers keeps these tables in float32, and its timesteps and steps depend on that rounding, so
/// they are float32 here too, rounded after the same operations; everything computed from them is double.
/// </summary>
internal sealed class TrainingNoise
{
    private TrainingNoise(float[] betas, float[] alphasCumprod)
    {
        (Betas, AlphasCumprod) = (betas, alphasCumprod);
        Sigmas = new float[betas.Length];
        for (int t = 0; t < Sigmas.Length; t++) Sigmas[t] = MathF.Sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
        LogSigmas = [.. Sigmas.Select(s => (float)Math.Log(s))];
    }

    /// <summary>β, after rescaling to zero terminal SNR where that is enabled.</summary>
    public float[] Betas { get; }

    /// <summary>ᾱ = Π (1 − β), falling.</summary>
    public float[] AlphasCumprod { get; }

    /// <summary>σ = √((1 − ᾱ)/ᾱ), rising; infinite where ᾱ is 0.</summary>
    public float[] Sigmas { get; }

    /// <summary>ln σ.</summary>
    public float[] LogSigmas { get; }

    /// <summary>Number of training timesteps.</summary>
    public int Count => Betas.Length;

    /// <summary>Computes the tables.</summary>
    /// <param name="betas">From <see cref="BetaSchedule.Read"/>.</param>
    /// <param name="zeroTerminalSnr">rescale_betas_zero_snr.</param>
    /// <param name="floor">Keep the last ᾱ at 2⁻²⁴ instead of 0, so that σ stays finite (the schedulers that work with σ).</param>
    public static TrainingNoise From(float[] betas, bool zeroTerminalSnr = false, bool floor = false)
    {
        if (zeroTerminalSnr) betas = RescaleToZeroTerminalSnr(betas);
        float[] alphasCumprod = CumulativeAlphas(betas);
        if (zeroTerminalSnr && floor) alphasCumprod[^1] = 1f / (1 << 24);
        return new TrainingNoise(betas, alphasCumprod);
    }

    /// <summary>As <see cref="From"/>, with rescale_betas_zero_snr read from the config.</summary>
    public static TrainingNoise Read(ModelConfig config, float[] betas, bool floor) =>
        From(betas, config.Bool("rescale_betas_zero_snr", false), floor);

    /// <summary>ᾱ at a timestep; <paramref name="final"/> for those before the first.</summary>
    public double AlphaCumprod(double timestep, double final = double.NaN)
    {
        if (timestep < 0) return final;
        return timestep < Count
            ? AlphasCumprod[(int)timestep]
            : throw new DiffusionRequestException(nameof(ScheduleRequest.Steps),
                $"scheduler: timestep {timestep:R} is beyond the {Count} timesteps of training; "
                    + "use fewer steps or a smaller steps_offset.");
    }

    /// <summary>As PyTorch: accumulates in double and rounds every partial product to float32.</summary>
    private static float[] CumulativeAlphas(float[] betas)
    {
        double product = 1;
        return [.. betas.Select(beta => (float)(product *= 1f - beta))];
    }

    /// <summary>
    /// Lin et al., 2023 (arXiv:2305.08891), algorithm 1: √ᾱ is shifted so that its last value is 0 and scaled so that its first is
    /// unchanged.
    /// </summary>
    private static float[] RescaleToZeroTerminalSnr(float[] betas)
    {
        float[] roots = [.. CumulativeAlphas(betas).Select(MathF.Sqrt)];
        float first = roots[0], last = roots[^1];
        float scale = first / (first - last);
        for (int t = 0; t < roots.Length; t++)
        {
            float root = (roots[t] - last) * scale;
            roots[t] = root * root;
        }

        return [.. roots.Select((alphaBar, t) => 1 - (t == 0 ? alphaBar : alphaBar / roots[t - 1]))];
    }
}
