using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// A bar per kind of op and kernel, the most expensive first. The time that the device's ceilings allow is solid, the rest pale.
/// </summary>
internal static class KindPanel
{
    private const int MostRows = 9;
    private const double RowHeight = 30;

    public static double Height(InspectedPlan plan) => Rows(plan).Length * RowHeight;

    public static void Draw(Svg svg, InspectedPlan plan, double x, double y, double width)
    {
        var rows = Rows(plan);
        double most = rows.Max(r => r.Seconds), bar = width;
        foreach (var row in rows)
        {
            double w = Math.Max(row.Seconds / most * bar, 1), least = plan.IsMeasured ? Math.Min(row.Least / row.Seconds, 1) * w : w;
            string roof = plan.IsMeasured && row.Least > 0 ? $" · {Measures.Percent(row.Least / row.Seconds)} of the ceiling" : "";
            svg.Text(x, y + 11, Svg.Fit($"{row.Name}", width * 0.62, 12), "t12");
            svg.Text(x + width, y + 11, $"{Measures.Time(row.Seconds)} · {Measures.Percent(row.Seconds / plan.Seconds)}", "t12 strong",
                Anchor.End);
            string title = $"{row.Name}: {row.Count} launch(es), {Measures.Time(row.Seconds)}{roof}\n{Measures.Flops(row.Flops)}, "
                + $"{Measures.Bytes(row.Bytes)}";
            svg.Rect(x, y + 16, width, 8, "rail", null, 2);
            svg.Rect(x, y + 16, w, 8, $"{row.Kind.Class()} pale", title, 2);
            svg.Rect(x, y + 16, least, 8, row.Kind.Class(), title, 2);
            y += RowHeight;
        }
    }

    private static Row[] Rows(InspectedPlan plan)
    {
        Row[] all =
        [
            .. plan.Report.Steps.GroupBy(s => (s.Name, s.Kind, s.Variant))
                .Select(g => Of($"{g.Count()} × {g.Key.Name}  {g.Key.Variant}", g.Key.Kind, g))
                .OrderByDescending(r => r.Seconds),
        ];
        if (all.Length <= MostRows) return all;
        var rest = all[(MostRows - 1)..];
        return [.. all[..(MostRows - 1)],
            new Row($"{rest.Sum(r => r.Count)} × others", OpKind.DataMovement, rest.Sum(r => r.Count), rest.Sum(r => r.Seconds),
                rest.Sum(r => r.Least), rest.Sum(r => r.Flops), rest.Sum(r => r.Bytes))];

        Row Of(string name, OpKind kind, IEnumerable<PlanReportStep> steps) =>
            new(name, kind, steps.Count(), steps.Sum(plan.Weight), steps.Sum(s => s.PredictedSeconds ?? 0), steps.Sum(s => s.Flops),
                steps.Sum(s => s.Bytes));
    }

    private sealed record Row(string Name, OpKind Kind, int Count, double Seconds, double Least, double Flops, long Bytes);
}
