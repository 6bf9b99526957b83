using System.Diagnostics;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>One way's times for one case.</summary>
/// <param name="Case">What ran.</param>
/// <param name="Variant">How.</param>
/// <param name="BestMilliseconds">The fastest run.</param>
/// <param name="MedianMilliseconds">The median run; far from the best on a busy machine.</param>
/// <param name="ProcessorMilliseconds">The least processor time of a run, summed over threads: what tells on a machine that others use too.</param>
/// <param name="Gflops">10⁹ operations per second of the op's definition, at the best time: an algorithm that needs fewer counts as faster.</param>
/// <param name="Ratio">The last way's best time over this one's.</param>
/// <param name="ProcessorRatio">The same for processor time.</param>
internal sealed record Timing(
    string Case, string Variant, double BestMilliseconds, double MedianMilliseconds, double ProcessorMilliseconds, double Gflops, double Ratio, double ProcessorRatio);

/// <summary>Times several ways to do the same, in turns, so that a machine that slows down for a while slows down all of them.</summary>
internal sealed class VariantComparison(Device device, int rounds, string[] only)
{
    private const double LeastMilliseconds = 20; // a timing repeats shorter runs until it has taken this long

    /// <summary>Every variant that suits a case.</summary>
    public IEnumerable<Timing> Variants(OpCase @case)
    {
        var signature = Signature(@case);
        string[] names = [.. @case.Op.Kernels.Variants.Where(v => v.Runs.HasFlag(device.Backend) && v.Fits(signature)).Select(v => v.Name).Where(n => only.Length == 0 || only.Contains(n))];
        BoundCase[] bound = [.. names.Select(n => new BoundCase(device, @case, outputPadding: 0, variant: n))];
        var timings = Measure(@case, names, [.. bound.Select(b => (Action)b.Run)]);
        foreach (var b in bound) b.Dispose();
        return timings;
    }

    /// <summary>Any ways.</summary>
    public IEnumerable<Timing> Measure(OpCase @case, string[] names, Action[] ways)
    {
        (double Wall, double Processor)[][] times = [.. names.Select(_ => new (double, double)[rounds])];
        int[] repeats = [.. ways.Select(WarmUp)];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < ways.Length; i++) times[i][round] = Time(ways[i], repeats[i]);
        }

        double flops = @case.Op.Flops(Signature(@case));
        var (lastWall, lastProcessor) = Best(times[^1]);
        return names.Zip(times, (name, runs) =>
        {
            var (wall, processor) = Best(runs);
            return new Timing(@case.Name, name, wall, runs.Select(t => t.Wall).Order().ElementAt(rounds / 2), processor, flops / wall / 1e6, lastWall / wall, lastProcessor / processor);
        });
    }

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs));
    }

    /// <summary>Compiles and fills caches; tells how often a timing must repeat the run.</summary>
    private static int WarmUp(Action way)
    {
        way();
        return (int)Math.Clamp(LeastMilliseconds / Time(way, 2).Wall, 1, 100_000);
    }

    private static (double Wall, double Processor) Time(Action way, int repeats)
    {
        long start = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < repeats; i++) way();
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds / repeats, (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / repeats);
    }

    private static (double Wall, double Processor) Best((double Wall, double Processor)[] times) => (times.Min(t => t.Wall), times.Min(t => t.Processor));
}
