using System.Globalization;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Text of plans: totals, time of each kind of op and kernel, and with <c>--steps</c> every launch.</summary>
internal static class InspectGraphText
{
    /// <summary>The text.</summary>
    /// <param name="plans">The plans.</param>
    /// <param name="steps">Whether every launch is listed.</param>
    /// <param name="columns">Width of the terminal; null where there is none.</param>
    public static string Of(IReadOnlyList<InspectedPlan> plans, bool steps, int? columns)
    {
        var page = new Page(columns);
        foreach (var plan in plans)
        {
            page.Paragraph($"{plan.Name}, {plan.Purpose}, on {plan.Device}").Paragraph(plan.Report.Totals).Table(Kinds(plan.Report));
            if (steps) page.Table(Steps(plan.Report));
            if (plan.IsMeasured)
            {
                string share = plan.Report.PredictedSeconds is { } least
                    ? $", {Measures.Percent(least / plan.Seconds)} of what the device could do" : "";
                page.Paragraph($"measured: {Measures.Time(plan.Seconds)} a run{share}");
            }

            foreach (var choice in plan.Report.Attention) page.Paragraph(AttentionReport.Line(choice));
            CompilationReport.Write(page, plan.Compilation);
            page.Paragraph($"without passes: {plan.Plain.Totals}").Line();
        }

        if (plans is [{ Ceilings: { } roof }, ..])
            page.Paragraph($"ceilings: {Measures.Flops(roof.FlopsPerSecond)}/s, {Measures.Bytes(roof.BytesPerSecond)}/s ({roof.Source})");
        return page.ToString();
    }

    /// <summary>A row for each kind of op and kernel, the most expensive first.</summary>
    private static Listing Kinds(PlanReport report)
    {
        bool predicted = report.PredictedSeconds is not null;
        string[] measured = report.MeasuredSeconds is null ? [] : [">ms", ">%"];
        var table = new Listing(["op", "kernel", ">launches", ">GFLOP", ">MB", .. predicted ? (string[])[">ms at least"] : [],
            .. measured]);
        foreach (var kind in report.Steps.GroupBy(s => (s.Op, s.Variant))
            .OrderByDescending(g => g.Sum(s => s.Seconds)).ThenByDescending(g => g.Sum(s => s.Flops))
                .ThenByDescending(g => g.Sum(s => s.Bytes)))
        {
            double? time = kind.Sum(s => s.MeasuredSeconds);
            table.Add([kind.Key.Op, kind.Key.Variant, $"{kind.Count()}", Number(kind.Sum(s => s.Flops) / 1e9, 2),
                Number(kind.Sum(s => s.Bytes) / 1e6, 1),
                .. predicted ? (string[])[Number(1e3 * kind.Sum(s => s.PredictedSeconds), 2)] : [],
                .. report.MeasuredSeconds is { } all ? (string[])[Number(1e3 * time, 2), Number(100 * time / all, 1)] : []]);
        }

        return table;
    }

    private static Listing Steps(PlanReport report)
    {
        var table = new Listing("layer", "when", "op", "kernel", "output", ">MB", ">GFLOP", ">ms", "settings");
        foreach (var (step, when) in report.LoopInvariantSteps.Select(s => (s, "once")).Concat(report.Steps.Select(s => (s, "run"))))
        {
            string time = step.Seconds > 0 ? Number(1e3 * step.Seconds, 3) : "";
            table.Add(step.Layer, when, step.Op, step.Variant, step.Output, Number(step.Bytes / 1e6, 2), Number(step.Flops / 1e9, 3), time,
                step.Settings);
        }

        return table;
    }

    private static string Number(double? value, int digits) => value?.ToString($"F{digits}", CultureInfo.InvariantCulture) ?? "";
}
