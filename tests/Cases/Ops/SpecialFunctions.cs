namespace ILGpuDiffusion.Cases;

/// <summary>Functions in float64 that .NET's Math lacks, for references.</summary>
public static class SpecialFunctions
{
    private const double SeriesEnds = 2.5; // below it the series needs at most 50 terms, above it the fraction at most 60 levels

    /// <summary>2/√π · ∫₀ˣ e^(−t²) dt. Relative error ≤ 1e-13.</summary>
    public static double Erf(double x) => Math.Abs(x) < SeriesEnds ? ErfSeries(x) : x < 0 ? Erfc(-x) - 1 : 1 - Erfc(x);

    /// <summary>1 − erf x without loss of digits for large x. Relative error ≤ 1e-12.</summary>
    public static double Erfc(double x)
    {
        if (double.IsNaN(x) || x < SeriesEnds) return 1 - Erf(x);
        double fraction = x; // e^(−x²) / √π / (x + (1/2) / (x + 1 / (x + (3/2) / …)))
        for (int level = 60; level > 0; level--) fraction = x + level / 2.0 / fraction;
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / fraction;
    }

    /// <summary>x · Φ(x), with the standard normal distribution function Φ.</summary>
    public static double Gelu(double x) => x * 0.5 * Erfc(-x / Math.Sqrt(2));

    private static double ErfSeries(double x)
    {
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }

        return sum * 2 / Math.Sqrt(Math.PI);
    }
}
