namespace ILGpuDiffusion.Measuring;

/// <summary>The times of several runs.</summary>
/// <param name="Seconds">Wall-clock time of each run.</param>
/// <param name="ProcessorSeconds">Processor time of each run, summed over threads: the more reliable on a shared machine.</param>
public sealed record Timings(double[] Seconds, double[] ProcessorSeconds)
{
    private const double NoiseLimit = 1.15;

    /// <summary>The fastest run.</summary>
    public double Best => Seconds.Min();

    /// <summary>The middle run; far from the best on a busy machine.</summary>
    public double Median => Middle(Seconds);

    /// <summary>The least processor time of a run.</summary>
    public double LeastProcessor => ProcessorSeconds.Min();

    /// <summary>Whether the best differs from the median by more than 15 %, which makes a ratio of these times unreliable.</summary>
    public bool IsNoisy => Median > NoiseLimit * Best;

    /// <summary>
    /// The ratio of these times to <paramref name="other"/> from the same rounds: median, least and greatest of the rounds'
    /// ratios.
    /// </summary>
    public Ratio Over(Timings other)
    {
        double[] ratios = [.. Seconds.Zip(other.Seconds, (mine, theirs) => mine / theirs)];
        return new Ratio(Middle(ratios), ratios.Min(), ratios.Max(), Best / other.Best, LeastProcessor / other.LeastProcessor, IsNoisy);
    }

    /// <summary>The median.</summary>
    public static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>A ratio of times from interleaved runs.</summary>
/// <param name="Median">The median of the rounds' ratios.</param>
/// <param name="Low">The least.</param>
/// <param name="High">The greatest.</param>
/// <param name="OfBest">Ratio of the two best times.</param>
/// <param name="OfProcessor">Ratio of the least processor times; spinning threads count as working.</param>
/// <param name="IsNoisy">Whether the peer's best is more than 15 % from its own median.</param>
public sealed record Ratio(double Median, double Low, double High, double OfBest, double OfProcessor, bool IsNoisy)
{
    /// <summary>
    /// The geometric mean of ratios; its low and high are the least and greatest median. Noisy where a quarter of them is.
    /// </summary>
    public static Ratio Mean(IReadOnlyCollection<Ratio> ratios)
    {
        static double Mean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
        return new(Mean(ratios.Select(r => r.Median)), ratios.Min(r => r.Median), ratios.Max(r => r.Median),
            Mean(ratios.Select(r => r.OfBest)), Mean(ratios.Select(r => r.OfProcessor)), 4 * ratios.Count(r => r.IsNoisy) > ratios.Count);
    }
}
