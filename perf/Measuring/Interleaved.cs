using System.Diagnostics;

namespace ILGpuDiffusion.Measuring;

/// <summary>Times several ways to compute the same, interleaved, so that a temporary slowdown of the machine affects all of them.</summary>
public static class Interleaved
{
    // threads of other libraries spin for a millisecond or two after their last task, on cores that the next way needs
    private const int PauseMilliseconds = 4;

    /// <summary>Runs every way in every round.</summary>
    /// <param name="rounds">Timings per way.</param>
    /// <param name="leastSeconds">A timing repeats shorter runs until it has taken this long; 0 for long runs that were warmed up
    /// before.</param>
    /// <param name="ways">The actions to time; each runs twice before, unless leastSeconds is 0.</param>
    public static Timings[] Measure(int rounds, double leastSeconds, params IReadOnlyList<Action> ways) =>
        Measure(rounds, leastSeconds, static () => { }, ways);

    /// <summary>
    /// As <see cref="Measure(int, double, IReadOnlyList{Action})"/>, for asynchronous work: a timing waits once, at its end.
    /// </summary>
    /// <param name="rounds">Timings per way.</param>
    /// <param name="leastSeconds">The least duration of a timing.</param>
    /// <param name="wait">Waits for all work to finish.</param>
    /// <param name="ways">The actions to time.</param>
    public static Timings[] Measure(int rounds, double leastSeconds, Action wait, IReadOnlyList<Action> ways)
    {
        int[] repeats = [.. ways.Select(way => WarmUp(way, wait, leastSeconds))];
        var samples = ways.Select(_ => new List<(double Wall, double Processor)>()).ToArray();
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < ways.Count; i++)
            {
                int turn = (round + i) % ways.Count; // rotates the order
                Thread.Sleep(PauseMilliseconds);
                samples[turn].Add(Time(ways[turn], wait, repeats[turn]));
            }
        }

        return [.. samples.Select(s => new Timings([.. s.Select(t => t.Wall)], [.. s.Select(t => t.Processor)]))];
    }

    /// <summary>Compiles and fills caches; returns how often a timing must repeat the run.</summary>
    private static int WarmUp(Action way, Action wait, double leastSeconds)
    {
        if (leastSeconds <= 0) return 1;
        way();
        wait();
        double seconds = Time(way, wait, 1).Wall;
        return (int)Math.Clamp(Math.Ceiling(leastSeconds / seconds), 1, 100_000);
    }

    private static (double Wall, double Processor) Time(Action way, Action wait, int repeats)
    {
        var processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) way();
        wait();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (wall / repeats, (Environment.CpuUsage.TotalTime - processor).TotalSeconds / repeats);
    }
}
