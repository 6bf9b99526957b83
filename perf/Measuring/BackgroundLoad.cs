using System.Diagnostics;
using System.Globalization;

namespace ILGpuDiffusion.Measuring;

/// <summary>Share of the processors that other programs took during a measurement; 0 if the system does not report it.</summary>
public sealed class BackgroundLoad
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly double busy = Busy(), own = Own();

    /// <summary>Above this share, timings are marked as noisy.</summary>
    public const double MostShare = 0.1;

    /// <summary>
    /// Processor time of others since this object was created, as a share of the total: 0 … 1. Child processes that have ended are not
    /// others.
    /// </summary>
    public double Share =>
        Math.Max(0, Busy() - busy - (Own() - own)) / (Stopwatch.GetElapsedTime(start).TotalSeconds * Environment.ProcessorCount);

    private static double Busy()
    {
        const int User = 1, Steal = 8, Idle = 4, Wait = 5; // columns of /proc/stat
        string[]? columns = Columns("/proc/stat");
        return columns is null ? 0 : Enumerable.Range(User, Steal).Where(i => i is not (Idle or Wait)).Sum(i => Number(columns[i]));
    }

    private static double Own()
    {
        const int UserTime = 13, Count = 4; // utime, stime, cutime, cstime in /proc/self/stat, counted from 0
        string[]? columns = Columns("/proc/self/stat");
        return columns is null ? 0 : columns.Skip(UserTime).Take(Count).Sum(Number);
    }

    private static string[]? Columns(string file) =>
        File.Exists(file) ? File.ReadLines(file).First().Split(' ', StringSplitOptions.RemoveEmptyEntries) : null;

    private static double Number(string ticks) => double.Parse(ticks, CultureInfo.InvariantCulture) / TicksPerSecond;
}
