namespace ILGpuDiffusion.Cli.Output;

/// <summary>The arena over time: a value's height is its size, its position its offset, and its width its lifetime.</summary>
internal static class MemoryPanel
{
    private const double PlotHeight = 240;

    public const double Height = PlotHeight + 24;

    public static void Draw(Svg svg, InspectedPlan plan, double x, double y, double width)
    {
        var report = plan.Report;
        double[] starts = Starts(plan, width);
        double scale = PlotHeight / Math.Max(report.ArenaBytes, 1), bottom = y + PlotHeight;
        svg.Rect(x, y, width, PlotHeight, "plot");
        foreach (var block in report.Memory)
        {
            double left = starts[Math.Clamp(block.First, 0, report.Length)], right = starts[Math.Clamp(block.Last + 1, 0, report.Length)];
            double h = block.Bytes * scale, top = bottom - (block.Offset * scale + h);
            if (right - left < 0.05) continue; // lives only before the run
            string style = block.Producer is { } kind ? $"{kind.Class()} value" : block.Kind is "scratch" ? "work" : "given";
            string life = block.First < 0 ? "given by the caller" : block.Last >= report.Length ? "kept after the run"
                : $"op {block.First} to {block.Last}{(block.IsOver ? ", written over what that op reads" : "")}";
            svg.Rect(x + left, top, Math.Max(right - left, 0.4), Math.Max(h, 0.4), style,
                $"{(block.Name.Length > 0 ? block.Name : "value")}\n{block.Kind}\n{Measures.Bytes(block.Bytes)} at "
                    + $"{Measures.Bytes(block.Offset)}, {life}");
            svg.Label(x + left, top, right - left, h,
                block.Name.Split('.')[^1] is { Length: > 0 } name && !char.IsAsciiDigit(name[0]) ? name : block.Name,
                    style is "given" or "work" ? "t10" : "t10 on", 10);
        }

        double peak = bottom - report.PeakLiveBytes * scale;
        svg.Line(x, peak, x + width, peak, "bound");
        svg.Text(x + width, y - 14, $"dashed: {Measures.Bytes(report.PeakLiveBytes)}, the most that is alive at once", "t11 muted",
            Anchor.End);
        TimelinePanel.Axis(svg, plan, x, bottom, width);
    }

    /// <summary>Where each op begins; ops that launch nothing have no width.</summary>
    private static double[] Starts(InspectedPlan plan, double width)
    {
        double[] weights = new double[plan.Report.Length];
        foreach (var step in plan.Report.Steps) weights[step.Index] = plan.Weight(step);
        double[] starts = new double[weights.Length + 1];
        for (int i = 0; i < weights.Length; i++) starts[i + 1] = starts[i] + weights[i] / plan.Seconds * width;
        return starts;
    }
}
