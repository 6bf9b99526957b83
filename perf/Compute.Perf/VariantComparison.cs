using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Measuring;

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
    private const double LeastSeconds = 0.02; // a timing repeats shorter runs until it has taken this long

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
        var times = TakingTurns.Measure(rounds, LeastSeconds, ways);
        double flops = @case.Op.Flops(Signature(@case));
        return names.Zip(times, (name, t) => new Timing(@case.Name, name, t.Best * 1e3, t.Median * 1e3, t.LeastProcessor * 1e3, flops / t.Best / 1e9,
            times[^1].Best / t.Best, times[^1].LeastProcessor / t.LeastProcessor));
    }

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs));
    }
}
