using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Noise levels from a formula instead of timesteps: use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas.</summary>
internal sealed class SigmaSpacing
{
    /// <summary>The keys that the constructor reads.</summary>
    public static readonly string[] Keys = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min", "sigma_max"];

    private readonly double? minimum;
    private readonly double? maximum;

    /// <summary>Reads the switches and the bounds; without <paramref name="karrasHasBounds"/> Karras' levels ignore the bounds.</summary>
    public SigmaSpacing(ModelConfig config, bool karrasHasBounds = true)
    {
        string[] chosen = [.. Keys[..3].Where(key => config.Bool(key, false))];
        if (chosen.Length > 1) throw config.Wrong(chosen[1], $"false when {chosen[0]} is true; only one spacing can be used");
        Kind = chosen.Length == 0 ? null : chosen[0];
        minimum = Bound(config, "sigma_min");
        maximum = Bound(config, "sigma_max");
        if (minimum >= maximum) throw config.Wrong("sigma_min", $"less than sigma_max, {maximum:R}");
        if (!karrasHasBounds && Kind == Keys[0]) minimum = maximum = null;
    }

    /// <summary>Key of the enabled spacing; null when noise levels follow the timesteps.</summary>
    public string? Kind { get; }

    /// <summary>Falling noise levels between the config's bounds, or the given ones where it has none.</summary>
    /// <param name="high">The largest sigma of the timestep spacing.</param>
    /// <param name="low">The smallest.</param>
    /// <param name="steps">Number of levels.</param>
    public double[] Sigmas(double high, double low, int steps)
    {
        high = maximum ?? high;
        low = minimum ?? low;
        return Kind switch
        {
            "use_karras_sigmas" => Karras(high, low, steps),
            "use_exponential_sigmas" => [.. Grid.Linspace(Math.Log(high), Math.Log(low), steps).Select(Math.Exp)],
            _ => [.. Grid.Linspace(0, 1, steps).Select(u => low + BetaDistribution.Quantile(1 - u, 0.6, 0.6) * (high - low))],
        };
    }

    /// <summary>Karras et al., 2022 (arXiv:2206.00364), equation 5, with ρ = 7.</summary>
    private static double[] Karras(double high, double low, int steps)
    {
        const double rho = 7;
        double from = Math.Pow(high, 1 / rho), to = Math.Pow(low, 1 / rho);
        return [.. Grid.Linspace(0, 1, steps).Select(u => Math.Pow(from + u * (to - from), rho))];
    }

    private static double? Bound(ModelConfig config, string key) => !config.Has(key) ? null
        : config.Double(key) is > 0 and <= float.MaxValue and var value ? value
        : throw config.Wrong(key, "above 0");
}
