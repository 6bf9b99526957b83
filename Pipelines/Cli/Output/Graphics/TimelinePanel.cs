namespace ILGpuDiffusion.Cli.Output;

/// <summary>Time from left to right: blocks at the top, their layers below them, and every launch at the bottom.</summary>
internal static class TimelinePanel
{
    private const double RowHeight = 22, Gap = 2, OpsHeight = 40;
    private const int Levels = 3;

    public const double Height = Levels * (RowHeight + Gap) + OpsHeight + 24;

    public static void Draw(Svg svg, InspectedPlan plan, double x, double y, double width)
    {
        var steps = plan.Report.Steps;
        double scale = width / plan.Seconds;
        double[] starts = new double[steps.Count + 1];
        for (int i = 0; i < steps.Count; i++) starts[i + 1] = starts[i] + plan.Weight(steps[i]) * scale;

        string[][] paths = OpKinds.Paths(steps);
        for (int level = 0; level < Levels; level++)
        {
            for (int i = 0, end; i < steps.Count; i = end)
            {
                for (end = i + 1; end < steps.Count && Same(paths[i], paths[end], level); end++) { }
                // a launch of its own is shown below
                if (paths[i].Length <= level || (paths[i].Length == level + 1 && level > 0 && end == i + 1)) continue;
                double left = x + starts[i], w = starts[end] - starts[i], top = y + level * (RowHeight + Gap);
                double seconds = w / scale;
                svg.Rect(left, top, w - Math.Min(1, w / 4), RowHeight, $"block b{level}",
                    $"{string.Join('.', paths[i][..(level + 1)])}\n{Measures.Time(seconds)}, {Measures.Percent(seconds / plan.Seconds)} of "
                        + $"the run\n{end - i} launch(es)", 2);
                svg.Label(left, top, w, RowHeight, Svg.Best(w - 6, 11, paths[i][level], OpKinds.Short(paths[i][level])), "t11", 11);
            }
        }

        double ops = y + Levels * (RowHeight + Gap);
        for (int i = 0; i < steps.Count; i++)
            svg.Rect(x + starts[i], ops, Math.Max(starts[i + 1] - starts[i], 0.25), OpsHeight, steps[i].Kind.Class(),
                plan.Describe(steps[i]));
        Axis(svg, plan, x, ops + OpsHeight, width);
    }

    /// <summary>Ticks at round times.</summary>
    public static void Axis(Svg svg, InspectedPlan plan, double x, double y, double width)
    {
        double step = Round(plan.Seconds / 8);
        for (int i = 0; i * step <= plan.Seconds; i++)
        {
            double at = x + i * step / plan.Seconds * width;
            svg.Line(at, y, at, y + 4, "tick");
            svg.Text(at, y + 16, i == 0 ? "0" : Measures.Time(i * step), "t10 muted",
                i == 0 ? Anchor.Start : at > x + width - 20 ? Anchor.End : Anchor.Middle);
        }
    }

    /// <summary>The next of 1, 2, 5, 10 … above a number.</summary>
    public static double Round(double least)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(least, 1e-12))));
        return power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
    }

    private static bool Same(string[] a, string[] b, int level) =>
        a.Length > level && b.Length > level && a.AsSpan(0, level + 1).SequenceEqual(b.AsSpan(0, level + 1));
}
