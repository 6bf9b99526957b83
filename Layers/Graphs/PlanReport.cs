using System.Globalization;
using System.Text;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Steps and memory of a compiled graph at given sizes, without running it or needing its weights.</summary>
/// <param name="LoopInvariantSteps">Steps computed once per set of loop-invariant inputs.</param>
/// <param name="Steps">Steps of every run.</param>
/// <param name="ArenaBytes">Size of the memory shared by the plan's values, in bytes.</param>
/// <param name="PeakLiveBytes">Maximum of live bytes.</param>
public sealed record PlanReport(IReadOnlyList<PlanReportStep> LoopInvariantSteps, IReadOnlyList<PlanReportStep> Steps, long ArenaBytes,
    long PeakLiveBytes)
{
    /// <summary>Offset and lifetime of each block of the arena.</summary>
    public IReadOnlyList<PlanReportBlock> Memory { get; init; } = [];

    /// <summary>Number of ops, including those that take no launch: the range of <see cref="PlanReportStep.Index"/>.</summary>
    public int Length { get; init; }

    /// <summary>
    /// Bytes of packed weights (<see cref="CompileOptions.PrepackWeights"/>) shared by the pipeline's plans at present, in addition to the
    /// arena; plans pack them when they are made.
    /// </summary>
    public long PackedWeightBytes { get; init; }

    /// <summary>The implementations of attention, each once.</summary>
    public IEnumerable<AttentionChoice> Attention =>
        LoopInvariantSteps.Concat(Steps).Select(step => step.Attention).OfType<AttentionChoice>().Distinct();

    /// <summary>Floating-point operations of one run.</summary>
    public double Flops => Steps.Sum(s => s.Flops);

    /// <summary>Lower bound of a run's time on the device that it was predicted for; null unless predicted.</summary>
    public double? PredictedSeconds => Sum(s => s.PredictedSeconds);

    /// <summary>Time of a run, summed over its steps; null unless measured.</summary>
    public double? MeasuredSeconds => Sum(s => s.MeasuredSeconds);

    /// <summary>Launches, operations and memory, on one line.</summary>
    public string Totals => string.Create(CultureInfo.InvariantCulture,
        $"{Steps.Count} launches a run, {LoopInvariantSteps.Count} once before; {Flops / 1e9:F1} GFLOP a run, "
            + $"{LoopInvariantSteps.Sum(s => s.Flops) / 1e9:F1} once; arena {ArenaBytes / 1e6:F1} MB, at most {PeakLiveBytes / 1e6:F1} MB "
                + $"alive at once{(PackedWeightBytes > 0 ? $"; packed weights {PackedWeightBytes / 1e6:F1} MB" : "")}");

    internal static PlanReport Of(PlanLayout layout) => new(
        [.. layout.LoopInvariantSteps.Select(step => PlanReportStep.Of(step, layout.Device))],
            [.. layout.Steps.Select(step => PlanReportStep.Of(step, layout.Device))], layout.ArenaBytes, layout.PeakLiveBytes)
    {
        Memory = PlanReportBlock.Of(layout),
        Length = layout.Length,
    };

    /// <summary>The same report with the lower bound of every step's time at a device's ceilings.</summary>
    public PlanReport Predict(DeviceCeilings ceilings) =>
        this with
        {
            LoopInvariantSteps = [.. LoopInvariantSteps.Select(s => s.Predict(ceilings))],
            Steps = [.. Steps.Select(s => s.Predict(ceilings))]
        };

    /// <summary>The same report with the measured time of every step.</summary>
    internal PlanReport Measured(IReadOnlyList<double> seconds) =>
        this with { Steps = [.. Steps.Zip(seconds, (step, time) => step with { MeasuredSeconds = time })] };

    /// <summary>Totals, the implementations of attention, then one line per op and variant, the most expensive first.</summary>
    public string Summary()
    {
        var text = new StringBuilder();
        text.AppendLine(Totals);
        foreach (var choice in Attention)
            text.AppendLine(CultureInfo.InvariantCulture, $"attention {choice.Kernel}: {choice.Reason}");
        foreach (var kind in Steps.GroupBy(s => (s.Op, s.Variant)).OrderByDescending(g => g.Sum(s => s.Seconds))
            .ThenByDescending(g => g.Sum(s => s.Flops)).ThenByDescending(g => g.Sum(s => s.Bytes)))
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{kind.Count(),6} × {kind.Key.Op,-28} {kind.Key.Variant,-16} {kind.Sum(s => s.Flops) / 1e9,10:F2} GFLOP "
                    + $"{kind.Sum(s => s.Bytes) / 1e6,10:F1} MB{Times(kind)}");
        return text.ToString();
    }

    /// <summary>The summary, then one line per step.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Summary());
        foreach (var step in LoopInvariantSteps) text.AppendLine(CultureInfo.InvariantCulture, $"once {step}");
        foreach (var step in Steps) text.AppendLine(CultureInfo.InvariantCulture, $"     {step}");
        return text.ToString();
    }

    private string Times(IEnumerable<PlanReportStep> steps)
    {
        string predicted = PredictedSeconds is null ? ""
            : string.Create(CultureInfo.InvariantCulture, $" {1e3 * steps.Sum(s => s.PredictedSeconds),10:F2} ms at least");
        return predicted + (MeasuredSeconds is not { } all ? ""
            : string.Create(CultureInfo.InvariantCulture,
                $" {1e3 * steps.Sum(s => s.MeasuredSeconds),10:F2} ms {100 * steps.Sum(s => s.MeasuredSeconds) / all,5:F1} %"));
    }

    private double? Sum(Func<PlanReportStep, double?> seconds) => Steps.All(s => seconds(s) is not null) ? Steps.Sum(seconds) : null;
}
