using System.Diagnostics;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>One variant's times for one case.</summary>
/// <param name="Case">What ran.</param>
/// <param name="Variant">How.</param>
/// <param name="BestMilliseconds">The fastest run.</param>
/// <param name="MedianMilliseconds">The median run; far from the best on a busy machine.</param>
/// <param name="ProcessorMilliseconds">The least processor time of a run, summed over threads: what tells on a machine that others use too.</param>
/// <param name="Gflops">10⁹ operations per second of the op's definition, at the best time: an algorithm that needs fewer counts as faster.</param>
/// <param name="Ratio">The last variant's best time over this one's.</param>
/// <param name="ProcessorRatio">The same for processor time.</param>
internal sealed record Timing(
    string Case, string Variant, double BestMilliseconds, double MedianMilliseconds, double ProcessorMilliseconds, double Gflops, double Ratio, double ProcessorRatio);

/// <summary>Times every variant that suits a case, in turns, so that a machine that slows down for a while slows down all of them.</summary>
internal sealed class VariantComparison(Device device, int rounds, string[] only)
{
    private const double LeastMilliseconds = 20; // a timing repeats shorter runs until it has taken this long

    public IEnumerable<Timing> Measure(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        var signature = new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs));
        string[] names = [.. @case.Op.Kernels.Variants.Where(v => v.Runs.HasFlag(device.Backend) && v.Fits(signature)).Select(v => v.Name).Where(n => only.Length == 0 || only.Contains(n))];
        BoundCase[] bound = [.. names.Select(n => new BoundCase(device, @case, outputPadding: 0, variant: n))];
        (double Wall, double Processor)[][] times = [.. names.Select(_ => new (double, double)[rounds])];
        int[] repeats = [.. bound.Select(b => WarmUp(b))];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < bound.Length; i++) times[i][round] = Time(bound[i], repeats[i]);
        }

        foreach (var b in bound) b.Dispose();
        double flops = @case.Op.Flops(signature);
        var (lastWall, lastProcessor) = Best(times[^1]);
        return names.Zip(times, (name, runs) =>
        {
            var (wall, processor) = Best(runs);
            return new Timing(@case.Name, name, wall, runs.Select(t => t.Wall).Order().ElementAt(rounds / 2), processor, flops / wall / 1e6, lastWall / wall, lastProcessor / processor);
        });
    }

    /// <summary>Compiles and fills caches; tells how often a timing must repeat the run.</summary>
    private static int WarmUp(BoundCase bound)
    {
        bound.Run();
        return (int)Math.Clamp(LeastMilliseconds / Time(bound, 2).Wall, 1, 100_000);
    }

    private static (double Wall, double Processor) Time(BoundCase bound, int repeats)
    {
        long start = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < repeats; i++) bound.Run();
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds / repeats, (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / repeats);
    }

    private static (double Wall, double Processor) Best((double Wall, double Processor)[] times) => (times.Min(t => t.Wall), times.Min(t => t.Processor));
}
