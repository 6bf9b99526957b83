using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>A treemap whose areas are times: the model's blocks, and in each of them its kinds of op.</summary>
/// <remarks>Squarified (Bruls, Huizing and van Wijk, 2000): rows are filled as long as that makes their boxes squarer.</remarks>
internal static class TreemapPanel
{
    public const double Height = 250;
    private const double Title = 16, LeastTitled = 34;

    public static void Draw(Svg svg, InspectedPlan plan, double x, double y, double width)
    {
        string[] names = [.. OpKinds.Paths(plan.Report.Steps).Select(p => string.Join('.', p.Take(2)))];
        var blocks = plan.Report.Steps.Zip(names).GroupBy(s => s.Second, s => s.First);
        foreach (var (name, steps, area) in Squarify(Weigh(plan, blocks), new Box(x, y, width, Height)))
        {
            double seconds = steps.Sum(plan.Weight);
            var inner = area.Height >= LeastTitled && area.Width >= LeastTitled
                ? new Box(area.X, area.Y + Title, area.Width, area.Height - Title) : area;
            svg.Rect(area.X, area.Y, area.Width, area.Height, "block b0 framed");
            if (inner != area)
            {
                string share = Measures.Percent(seconds / plan.Seconds);
                svg.Text(area.X + 5, area.Y + 12,
                    Svg.Best(area.Width - 8, 11, $"{name} · {share}", $"{OpKinds.Short(name)} · {share}", OpKinds.Short(name)), "t11");
            }

            foreach (var (op, ofKind, box) in Squarify(Weigh(plan, steps.GroupBy(s => s.Name)), inner))
            {
                double part = ofKind.Sum(plan.Weight);
                svg.Rect(box.X + 0.5, box.Y + 0.5, box.Width - 1, box.Height - 1, ofKind[0].Kind.Class(),
                    $"{name}\n{ofKind.Length} × {op}\n{Measures.Time(part)}, {Measures.Percent(part / plan.Seconds)} of the run", 1);
                svg.Label(box.X, box.Y, box.Width, box.Height, op, "t10 on", 10);
            }
        }
    }

    private static (string, PlanReportStep[], double)[] Weigh(InspectedPlan plan, IEnumerable<IGrouping<string, PlanReportStep>> groups) =>
        [.. groups.Select(g => (g.Key, g.ToArray(), g.Sum(plan.Weight))).Where(g => g.Item3 > 0).OrderByDescending(g => g.Item3)];

    private static IEnumerable<(string Name, PlanReportStep[] Steps,
        Box Area)> Squarify((string Name, PlanReportStep[] Steps, double Weight)[] items, Box box)
    {
        double scale = box.Width * box.Height / Math.Max(items.Sum(i => i.Weight), 1e-30);
        for (int first = 0; first < items.Length;)
        {
            double side = Math.Min(box.Width, box.Height), sum = items[first].Weight * scale;
            int end = first + 1;
            for (double worst = Worst(sum, sum, sum, side); end < items.Length; end++)
            {
                double next = items[end].Weight * scale, ratio = Worst(sum + next, items[first].Weight * scale, next, side);
                if (ratio > worst) break;
                (worst, sum) = (ratio, sum + next);
            }

            double depth = sum / Math.Max(side, 1e-9), at = 0;
            bool column = box.Width >= box.Height;
            for (int i = first; i < end; i++)
            {
                double length = items[i].Weight * scale / Math.Max(depth, 1e-9);
                yield return (items[i].Name, items[i].Steps,
                    column ? new Box(box.X, box.Y + at, depth, length) : new Box(box.X + at, box.Y, length, depth));
                at += length;
            }

            box = column ? new Box(box.X + depth, box.Y, box.Width - depth, box.Height)
                : new Box(box.X, box.Y + depth, box.Width, box.Height - depth);
            first = end;
        }
    }

    /// <summary>The worst aspect ratio of a row of boxes with a given area, from its largest and smallest box.</summary>
    private static double Worst(double sum, double largest, double smallest, double side) =>
        Math.Max(side * side * largest / (sum * sum), sum * sum / (side * side * smallest));

    private readonly record struct Box(double X, double Y, double Width, double Height);
}
