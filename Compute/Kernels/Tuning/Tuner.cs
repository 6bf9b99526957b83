using System.Collections.Immutable;
using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Coordinate descent over the kernel variants of an op and their parameters, as in PyTorch Inductor: one coordinate at a time moves to the
/// better of its neighbouring values, until no step helps. The variant is a coordinate too. Both sides of a comparison are timed in
/// alternation, so that a temporary slowdown of the machine affects both.
/// </summary>
/// <param name="timer">Times choices.</param>
/// <param name="options">Time budget and margin.</param>
public sealed class Tuner(IKernelTimer timer, TunerOptions options)
{
    private const int HopelessAfter = 2;
    private const double HopelessRatio = 1.1;

    /// <summary>Searches, starting from the untuned choice.</summary>
    /// <param name="device">Where the call runs.</param>
    /// <param name="signature">The call.</param>
    /// <param name="candidates">The variants to choose from; the search starts with the first one, at its untuned settings.</param>
    /// <param name="cancellation">Checked before every timing.</param>
    public TunerResult Run(Device device, OpSignature signature, IReadOnlyList<KernelVariant> candidates,
        CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        var first = candidates[0].Untuned(device, signature);
        var best = first;
        var tried = new HashSet<KernelChoice> { first };
        bool complete = false;
        while (!complete && clock.Elapsed < options.Budget)
        {
            complete = true;
            foreach (int coordinate in Enumerable.Range(-1, 1 + Parameters(best.Variant).Length))
            {
                if (coordinate >= Parameters(best.Variant).Length) break; // another kernel was taken, which has fewer
                if (Improve(Neighbours(best, coordinate)) is not { } better) continue;
                (best, complete) = (better, false);
            }

            if (complete && options.CheckAllDirections && Improve(Diagonals(best)) is { } diagonal) (best, complete) = (diagonal, false);
        }

        var (defaultSeconds, seconds) = best == first ? Alone(first) : Confirm();
        return new TunerResult(best, defaultSeconds, seconds, tried.Count, complete);

        // One step along a coordinate: the parameter values next to the current one, or, for coordinate −1, the other variants.
        IEnumerable<KernelChoice> Neighbours(KernelChoice at, int coordinate)
        {
            if (coordinate < 0)
                return options.SameBits ? [] : candidates.Where(c => c != at.Variant).Select(c => c.Untuned(device, signature));
            return Beside(at.Variant.Tuning.Parameters[coordinate], at.Settings).Select(s => at with { Settings = s });
        }

        KernelChoice? Improve(IEnumerable<KernelChoice> steps)
        {
            (double Ratio, KernelChoice? Choice) winner = (1, null);
            foreach (var step in steps)
            {
                if (clock.Elapsed >= options.Budget) break;
                if (!step.Variant.Tuning.Accepts(device, signature, step.Settings) || !tried.Add(step)) continue;
                if (Compare(best, step, options.Pairs, cancellation) is { IsFaster: true } comparison && comparison.Ratio < winner.Ratio)
                    winner = (comparison.Ratio, step);
            }

            return winner.Choice;
        }

        (double, double) Alone(KernelChoice choice)
        {
            cancellation.ThrowIfCancellationRequested();
            double time = Median([.. Enumerable.Range(0, options.Pairs).Select(_ => timer.Time(choice))]);
            return (time, time);
        }

        // After many comparisons, some were won by chance: the winner is compared with the default again, with twice as many timings.
        (double, double) Confirm()
        {
            var comparison = Compare(first, best, 2 * options.Pairs, cancellation);
            if (comparison.IsFaster) return (comparison.Left, comparison.Right);
            best = first;
            return (comparison.Left, comparison.Left);
        }
    }

    private ImmutableArray<TuningParameter> Parameters(KernelVariant variant) =>
        options.SameBits && variant.Tuning.ChangesBits ? [] : variant.Tuning.Parameters;

    /// <summary>All combinations of steps along at least two coordinates.</summary>
    private IEnumerable<KernelChoice> Diagonals(KernelChoice at)
    {
        IEnumerable<(KernelSettings Settings, int Steps)> reached = [(at.Settings, 0)];
        foreach (var parameter in Parameters(at.Variant))
            reached = [.. reached.SelectMany(r => Beside(parameter, r.Settings).Select(s => (s, r.Steps + 1)).Append(r))];
        return reached.Where(r => r.Steps > 1).Select(r => at with { Settings = r.Settings });
    }

    private static IEnumerable<KernelSettings> Beside(TuningParameter parameter, KernelSettings settings)
    {
        int index = parameter.Values.IndexOf(settings[parameter]);
        if (index > 0) yield return settings.With(parameter, parameter.Values[index - 1]);
        if (index < parameter.Values.Length - 1) yield return settings.With(parameter, parameter.Values[index + 1]);
    }

    private Comparison Compare(KernelChoice left, KernelChoice right, int pairs, CancellationToken cancellation)
    {
        var (lefts, rights, ratios) = (new List<double>(), new List<double>(), new List<double>());
        for (int i = 0; i < pairs; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            double a = i % 2 == 0 ? timer.Time(left) : 0, b = timer.Time(right);
            if (i % 2 != 0) a = timer.Time(left); // alternate which side comes first
            lefts.Add(a);
            rights.Add(b);
            ratios.Add(b / a);
            if (i + 1 == HopelessAfter && ratios.TrueForAll(r => r > HopelessRatio)) break;
        }

        double ratio = Median(ratios);
        return new(Median(lefts), Median(rights), ratio, ratio < 1 - options.Margin && 4 * ratios.Count(r => r < 1) >= 3 * ratios.Count);
    }

    private static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private readonly record struct Comparison(double Left, double Right, double Ratio, bool IsFaster);
}
