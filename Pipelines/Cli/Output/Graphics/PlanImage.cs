using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>A plan as an image: time by kind, over time and by block; distance from the device's ceilings; and use of the arena.</summary>
internal static class PlanImage
{
    /// <summary>Width of an image.</summary>
    public const double Width = 1200;

    private const double Margin = 36, Inner = Width - 2 * Margin, HeadHeight = 148, Spacing = 34, TitleHeight = 26, Gutter = 40;

    /// <summary>Plans one below the other in a self-contained file: no external references, light or dark as the viewer prefers.</summary>
    public static string Render(IReadOnlyList<InspectedPlan> plans)
    {
        var svg = new Svg();
        double y = 0;
        foreach (var plan in plans) y += Draw(svg, plan, y);
        string name = Svg.Escape($"{plans[0].Subject}: {string.Join(", ", plans.Select(p => p.Name))}");
        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Svg.N(y)}" width="{Width}" height="{Svg.N(y)}" role="img" aria-label="{name}">
            <style>
            {PlanStyle.Svg}
            </style>
            <rect width="100%" height="100%" class="page"/>
            {svg}</svg>

            """;
    }

    /// <summary>Draws one plan, beginning at a height.</summary>
    /// <returns>Its height.</returns>
    private static double Draw(Svg svg, InspectedPlan plan, double top)
    {
        double y = top + Margin;
        Head(svg, plan, y);
        y += HeadHeight;

        bool roofline = plan is { IsMeasured: true, Ceilings: not null };
        double kinds = KindPanel.Height(plan), half = (Inner - Gutter) / 2, height = Math.Max(kinds, 270);
        Title(svg, Margin, y, plan.IsMeasured ? "Time by kernel" : "Least time by kernel",
            plan.IsMeasured ? "full colour: what the device's ceilings would need" : "from operations and bytes; --measure runs it");
        Title(svg, Margin + half + Gutter, y, roofline ? "Roofline" : "Time by block", "area: part of the time");
        y += TitleHeight;
        KindPanel.Draw(svg, plan, Margin, y, half);
        if (roofline) RooflinePanel.Draw(svg, plan, plan.Ceilings!, Margin + half + Gutter, y, half, height);
        else TreemapPanel.Draw(svg, plan, Margin + half + Gutter, y, half);
        y += height + Spacing;

        Title(svg, Margin, y, "Timeline", "blocks, layers, launches of one run");
        Legend(svg, plan, Margin + Inner, y);
        y += TitleHeight;
        TimelinePanel.Draw(svg, plan, Margin, y, Inner);
        y += TimelinePanel.Height + Spacing;

        Title(svg, Margin, y, "Memory",
            $"the arena of {Measures.Bytes(plan.Report.ArenaBytes)}: which value lies where, over the same time; colours say what made it");
        y += TitleHeight;
        MemoryPanel.Draw(svg, plan, Margin, y, Inner);
        y += MemoryPanel.Height + Spacing;

        if (roofline)
        {
            Title(svg, Margin, y, "Time by block", "area: part of the time");
            y += TitleHeight;
            TreemapPanel.Draw(svg, plan, Margin, y, Inner);
            y += TreemapPanel.Height + Spacing;
        }

        return y - top;
    }

    private static void Head(Svg svg, InspectedPlan plan, double y)
    {
        var report = plan.Report;
        svg.Text(Margin, y + 18, plan.Name, "t24 strong");
        svg.Text(Margin, y + 40, Svg.Fit($"{plan.Subject} · {plan.Device}", Inner, 13), "t13 muted");
        double seconds = plan.Seconds, least = report.PredictedSeconds ?? 0;
        (string Value, string Label)[] facts =
        [
            (Measures.Time(seconds), plan.IsMeasured ? "a run, measured" : "a run at least"),
            plan.IsMeasured ? ($"{Measures.Flops(report.Flops / seconds)}/s", $"{Measures.Flops(report.Flops)} a run")
                : (Measures.Flops(report.Flops), "a run"),
            plan.IsMeasured && least > 0 ? (Measures.Percent(least / seconds), "of what the device could do")
                : (Measures.Bytes(report.Steps.Sum(s => s.Bytes)), "read and written"),
            ($"{report.Steps.Count}", $"launches; {plan.Plain.Steps.Count + plan.Plain.LoopInvariantSteps.Count} unfused"),
            (Measures.Bytes(report.ArenaBytes),
                $"arena, {(double)report.ArenaBytes / Math.Max(report.PeakLiveBytes, 1):0.00} × what is alive"),
            (Measures.Bytes(report.Steps.Sum(s => s.WeightBytes)), "weights read a run"),
        ];
        double gap = 12, width = (Inner - gap * (facts.Length - 1)) / facts.Length;
        for (int i = 0; i < facts.Length; i++)
        {
            double x = Margin + i * (width + gap);
            svg.Rect(x, y + 58, width, 62, "card", null, 6);
            svg.Text(x + 12, y + 84, facts[i].Value, "t20 strong");
            svg.Text(x + 12, y + 106, Svg.Fit(facts[i].Label, width - 16, 10), "t10 muted");
        }
    }

    private static void Title(Svg svg, double x, double y, string title, string note)
    {
        svg.Text(x, y + 12, title, "t15 strong");
        svg.Text(x + title.Length * 10.2 + 14, y + 12, note, "t11 muted");
    }

    private static void Legend(Svg svg, InspectedPlan plan, double right, double y)
    {
        foreach (var kind in Enum.GetValues<OpKind>().Reverse().Where(k => plan.Report.Steps.Any(s => s.Kind == k)))
        {
            right -= kind.Label().Length * 6.4;
            svg.Text(right, y + 12, kind.Label(), "t11");
            svg.Rect(right - 15, y + 3, 10, 10, kind.Class(), null, 2);
            right -= 32;
        }
    }
}
