using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Layers;

/// <summary>What a compiled graph does at given sizes, without running it or needing its weights: for people and for tests.</summary>
/// <param name="Prologue">What is computed once per set of steady inputs.</param>
/// <param name="Steps">What every run computes.</param>
/// <param name="ArenaBytes">Memory that the plan's values share.</param>
/// <param name="PeakLiveBytes">The most bytes that are alive at once.</param>
public sealed record PlanReport(IReadOnlyList<PlanReportStep> Prologue, IReadOnlyList<PlanReportStep> Steps, long ArenaBytes, long PeakLiveBytes)
{
    /// <summary>Floating-point operations of one run.</summary>
    public double Flops => Steps.Sum(s => s.Flops);

    /// <summary>Launches, operations and memory, on one line.</summary>
    public string Totals => string.Create(CultureInfo.InvariantCulture,
        $"{Steps.Count} launches a run, {Prologue.Count} once before; {Flops / 1e9:F1} GFLOP a run, {Prologue.Sum(s => s.Flops) / 1e9:F1} once; arena {ArenaBytes / 1e6:F1} MB, at most {PeakLiveBytes / 1e6:F1} MB alive at once");

    internal static PlanReport Of(PlanLayout layout) => new(
        [.. layout.PrologueSteps.Select(PlanReportStep.Of)], [.. layout.Steps.Select(PlanReportStep.Of)], layout.ArenaBytes, layout.PeakLiveBytes);

    /// <summary>Totals, then one line per kind of op and variant, the most expensive first.</summary>
    public string Summary()
    {
        var text = new StringBuilder();
        text.AppendLine(Totals);
        foreach (var kind in Steps.GroupBy(s => (s.Op, s.Variant)).OrderByDescending(g => g.Sum(s => s.Flops)).ThenByDescending(g => g.Sum(s => s.Bytes)))
            text.AppendLine(CultureInfo.InvariantCulture, $"{kind.Count(),6} × {kind.Key.Op,-28} {kind.Key.Variant,-12} {kind.Sum(s => s.Flops) / 1e9,10:F2} GFLOP {kind.Sum(s => s.Bytes) / 1e6,10:F1} MB");
        return text.ToString();
    }

    /// <summary>The summary, then one line per op.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Summary());
        foreach (var step in Prologue) text.AppendLine(CultureInfo.InvariantCulture, $"once {step}");
        foreach (var step in Steps) text.AppendLine(CultureInfo.InvariantCulture, $"     {step}");
        return text.ToString();
    }
}

/// <summary>One op of a plan.</summary>
/// <param name="Op">Its name, with what was fused into it: <c>conv2d+residual</c>.</param>
/// <param name="Variant">The kernel that was chosen.</param>
/// <param name="Output">Element type and sizes of its result.</param>
/// <param name="Bytes">What it reads and writes at least: arguments and result, each once.</param>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Layer">The layer that recorded it.</param>
public sealed record PlanReportStep(string Op, string Variant, string Output, long Bytes, double Flops, string Layer)
{
    internal static PlanReportStep Of(PlanStep step)
    {
        var signature = step.Signature;
        return new(step.Node.Label, step.Variant, signature.Output.ToString(), signature.Inputs.Append(signature.Output).Sum(t => t.Bytes), signature.Op.Flops(signature), step.Node.Path);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Op,-28} {Variant,-12} {Output,-32} {Bytes / 1e6,9:F2} MB {Flops / 1e9,9:F3} GFLOP  {Layer}");
}
