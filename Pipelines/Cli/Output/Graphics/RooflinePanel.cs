using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// Every launch by its operations per byte and per second, under the device's two ceilings. A kernel near them cannot be made faster on
/// this device, except by fusion, which moves it to the right. A dot's area is its share of the time.
/// </summary>
internal static class RooflinePanel
{
    private const double LargestDot = 22;

    public static void Draw(Svg svg, InspectedPlan plan, DeviceCeilings ceilings, double x, double y, double width, double height)
    {
        var dots = plan.Report.Steps.Where(s => s.Work > 0 && s.Bytes > 0 && plan.Weight(s) > 0)
            .Select(s => (Step: s, Intensity: s.Work / s.Bytes, Speed: s.Work / plan.Weight(s), Share: plan.Weight(s) / plan.Seconds))
                .OrderByDescending(d => d.Share).ToArray();
        if (dots.Length == 0) return;
        double left = x + 48, bottom = y + height - 30, plotWidth = width - 48, plotHeight = height - 30;
        double ridge = ceilings.FlopsPerSecond / ceilings.BytesPerSecond;
        var (x0, x1) = (Math.Floor(Math.Log10(Math.Min(dots.Min(d => d.Intensity), ridge / 10))),
            Math.Ceiling(Math.Log10(Math.Max(dots.Max(d => d.Intensity), ridge * 10))));
        double slowest = Math.Max(dots.Min(d => d.Speed), ceilings.FlopsPerSecond / 3000); // slower launches are drawn at the edge
        var (y0, y1) = (Math.Floor(Math.Log10(Math.Min(slowest, ceilings.FlopsPerSecond / 100))),
            Math.Ceiling(Math.Log10(Math.Max(ceilings.FlopsPerSecond, dots.Max(d => d.Speed)) * 1.2)));
        svg.Rect(left, y, plotWidth, plotHeight, "plot");
        for (double p = x0; p <= x1; p++)
        {
            if (p > x0 && p < x1) svg.Line(X(p), y, X(p), bottom, "grid");
            svg.Text(X(p), bottom + 13, $"{Math.Pow(10, p):0.####}", "t10 muted", p == x1 ? Anchor.End : Anchor.Middle);
        }

        for (double p = y0; p <= y1; p++)
        {
            if (p > y0 && p < y1) svg.Line(left, Y(p), left + plotWidth, Y(p), "grid");
            svg.Text(left - 6, Y(p) + (p == y1 ? 10 : 4), $"{Math.Pow(10, p - 9):0.####}", "t10 muted", Anchor.End);
        }

        svg.Text(left + plotWidth / 2, bottom + 27, "operations per byte", "t10 muted", Anchor.Middle);
        svg.Text(left + 4, y + 12, "GFLOP/s", "t10 muted");
        foreach (var (step, intensity, speed, share) in dots)
            svg.Circle(X(Math.Log10(intensity)), Y(Math.Max(Math.Log10(speed), y0)),
                Math.Clamp(Math.Sqrt(share) * LargestDot * 2, 1.6, LargestDot), $"{step.Kind.Class()} dot", plan.Describe(step));

        double roofLeft = Math.Max(y0, x0 + Math.Log10(ceilings.BytesPerSecond)), roof = Math.Log10(ceilings.FlopsPerSecond);
        svg.Path([(X(roofLeft - Math.Log10(ceilings.BytesPerSecond)), Y(roofLeft)), (X(Math.Log10(ridge)), Y(roof)), (X(x1), Y(roof))],
            "roof");
        svg.Text(left + plotWidth - 4, Y(roof) - 5, $"{Measures.Flops(ceilings.FlopsPerSecond)}/s", "t10 strong", Anchor.End);
        double middle = (roofLeft + roof) / 2;
        svg.Text(X(middle - Math.Log10(ceilings.BytesPerSecond)) - 6, Y(middle) - 3, $"{Measures.Bytes(ceilings.BytesPerSecond)}/s",
            "t10 strong", Anchor.End);

        double X(double power) => left + (power - x0) / (x1 - x0) * plotWidth;

        double Y(double power) => bottom - (power - y0) / (y1 - y0) * plotHeight;
    }
}
