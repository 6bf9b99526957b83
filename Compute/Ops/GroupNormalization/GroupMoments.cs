namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Combines the moments of a group's channels in float64; all channels have the same number of values.</summary>
/// <param name="rows">Values per channel.</param>
/// <param name="channels">Channels per group.</param>
internal struct GroupMoments(int rows, int channels)
{
    private int added;
    private double origin, first, second; // Σ (x − origin) and Σ (x − origin)² over the channels so far; the origin is the first channel's

    /// <summary>Adds a channel: its origin, Σ (x − its origin) and Σ (x − its origin)².</summary>
    /// <returns>Whether the group is complete.</returns>
    public bool Add(float channelOrigin, float channelFirst, float channelSecond)
    {
        if (added == 0) (origin, first, second) = (channelOrigin, 0, 0);
        double step = channelOrigin - origin;
        first += channelFirst + rows * step;
        second += channelSecond + 2 * step * channelFirst + rows * step * step;
        return ++added == channels;
    }

    /// <summary>The group's mean and Σ (x − mean)²; starts the next group.</summary>
    public (double Mean, double Square) Take()
    {
        double count = (double)rows * channels;
        added = 0;
        return (origin + first / count, Math.Max(second - first * first / count, 0));
    }
}
