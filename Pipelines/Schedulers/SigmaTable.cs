namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Interpolates between timesteps and sigmas in the training table.</summary>
internal static class SigmaTable
{
    /// <summary>σ at a fractional timestep, linear in σ; outside the table the value at its end.</summary>
    public static double At(float[] sigmas, double timestep)
    {
        if (timestep <= 0) return sigmas[0];
        if (timestep >= sigmas.Length - 1) return sigmas[^1];
        int low = (int)timestep;
        return ((double)sigmas[low + 1] - sigmas[low]) * (timestep - low) + sigmas[low];
    }

    /// <summary>
    /// The fractional timestep of a σ, linear in ln σ. Weights are float32, as in diffusers: they can move a timestep by 10⁻⁴, and
    /// schedulers that truncate it then arrive one lower.
    /// </summary>
    public static double ToTimestep(float[] logSigmas, double sigma)
    {
        if (logSigmas.Length == 1) return 0;
        float log = (float)Math.Log(Math.Max(sigma, 1e-10));
        int low = Math.Clamp(LastAtMost(logSigmas, log), 0, logSigmas.Length - 2);
        float weight = Math.Clamp((logSigmas[low] - log) / (logSigmas[low] - logSigmas[low + 1]), 0f, 1f);
        return (1 - weight) * low + (double)weight * (low + 1);
    }

    /// <summary>Noise levels as diffusers stores them: rounded to float32.</summary>
    public static double[] Rounded(IEnumerable<double> sigmas) => [.. sigmas.Select(s => (double)(float)s)];

    /// <summary>The geometric mean of two levels, by float32 logarithms as in diffusers; 0 if one is 0.</summary>
    public static float Between(float start, float end)
    {
        float from = (float)Math.Log(start), to = (float)Math.Log(end);
        return start == 0 || end == 0 ? 0 : (float)Math.Exp(to - (to - from) * 0.5f);
    }

    /// <summary>The last index of a rising table whose value is at most <paramref name="value"/>; −1 when there is none.</summary>
    private static int LastAtMost(float[] rising, float value)
    {
        int low = -1, high = rising.Length;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (rising[middle] <= value) low = middle;
            else high = middle;
        }

        return low;
    }
}
