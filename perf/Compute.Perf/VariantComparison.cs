using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>The times of one variant or build for one case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Variant">The variant or build.</param>
/// <param name="BestMilliseconds">The fastest run.</param>
/// <param name="MedianMilliseconds">The median run; far from the best on a busy machine.</param>
/// <param name="ProcessorMilliseconds">The least processor time of a run, summed over threads: the most reliable time on a machine
/// that others use.</param>
/// <param name="Gflops">10⁹ operations per second of the op's definition, at the best time: an algorithm that needs fewer counts as
/// faster.</param>
/// <param name="Ratio">The last way's best time over this one's.</param>
/// <param name="ProcessorRatio">The same for processor time.</param>
internal sealed record Timing(
    string Case, string Variant, double BestMilliseconds, double MedianMilliseconds, double ProcessorMilliseconds, double Gflops,
        double Ratio, double ProcessorRatio);

/// <summary>Times several ways to compute the same, interleaved, so that a temporary slowdown of the machine affects all of them.</summary>
/// <param name="device">The device.</param>
/// <param name="rounds">Timings per way.</param>
/// <param name="leastSeconds">A timing repeats shorter runs until it has taken this long.</param>
/// <param name="only">Variants to measure; all if empty.</param>
/// <param name="settings">Settings to measure in addition to the variants' defaults.</param>
internal sealed class VariantComparison(Device device, int rounds, double leastSeconds, string[] only, string[] settings)
{
    /// <summary>Compares all variants that can run a case.</summary>
    public IEnumerable<Timing> Variants(OpCase @case)
    {
        var signature = Signature(@case);
        KernelVariant[] variants = [
            .. @case.Op.Kernels.Variants.Where(v =>
                v.Backends.HasFlag(device.Backend) && v.SupportsTypes(signature) && v.SupportsShape(signature)
                    && (only.Length == 0 ? v.SupportsDevice(device) : only.Contains(v.Name)))];
        KernelChoice[] choices = [
            .. variants.SelectMany(v =>
                settings.Select(text => new KernelChoice(v, Parse(text)))
                    .Where(c => c.Variant.Tuning.Accepts(device, signature, c.Settings)).Prepend(v.Untuned(device, signature)))];
        BoundCase[] bound = [.. choices.Select(c =>
            new BoundCase(device, @case, outputPadding: 0, variant: c.Variant.Name, settings: c.Settings,
                kernelPositionsFirst: device.Backend != Backends.Cpu && @case.Op is Conv2D))];
        var timings = Measure(@case, [.. choices.Select(c => c.ToString())], [.. bound.Select(b => (Action)b.Run)]);
        foreach (var b in bound) b.Dispose();
        return timings;
    }

    /// <summary>Compares any ways of computing a case.</summary>
    public IEnumerable<Timing> Measure(OpCase @case, string[] names, Action[] ways)
    {
        var times = Interleaved.Measure(rounds, leastSeconds, device.Synchronize, ways);
        double flops = @case.Op.Flops(Signature(@case));
        return names.Zip(times, (name, t) =>
            new Timing(@case.Name, name, t.Best * 1e3, t.Median * 1e3, t.LeastProcessor * 1e3, flops / t.Best / 1e9,
            times[^1].Best / t.Best, times[^1].LeastProcessor / t.LeastProcessor));
    }

    private static KernelSettings Parse(string text) =>
        KernelSettings.Of(text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('='))
            .Select(pair => KeyValuePair.Create(pair[0], int.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture))));

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs));
    }
}
