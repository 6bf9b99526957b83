using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace ILGpuDiffusion.Peers;

/// <summary>The ratios of the table of targets as an image.</summary>
internal static class TargetPlot
{
    private const int Width = 1000, RowHeight = 24, Margins = 110, Names = 380;

    /// <summary>A bar per ratio, with marks at its floor and goal; SVG.</summary>
    public static string Draw(IEnumerable<TargetRow> rows)
    {
        (string Name, Check Check)[] bars = [
            .. rows.SelectMany(r => r.Checks.Where(c => c is { Unit: "×", AtMost: false, Value: not null })
                .Select(c => ($"{r.Id}: {c.What} / {c.Peer}", c))).Reverse()];
        var model = new PlotModel { Title = "Times faster than the peer", TitleFontSize = 14, DefaultFontSize = 11,
            Background = OxyColors.White, DefaultFont = "Arial",
                PlotMargins = new OxyThickness(Names, double.NaN, double.NaN, double.NaN) };
        model.Axes.Add(new CategoryAxis { Position = AxisPosition.Left, ItemsSource = bars.Select(b => b.Name).ToArray(), GapWidth = 0.4 });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.LightGray });
        var reached = new BarSeries { Title = "reached", FillColor = OxyColors.SteelBlue };
        var floors = new ScatterSeries { Title = "floor", MarkerType = MarkerType.Square, MarkerSize = 4,
            MarkerFill = OxyColors.Firebrick };
        var goals = new ScatterSeries { Title = "goal", MarkerType = MarkerType.Diamond, MarkerSize = 5,
            MarkerFill = OxyColors.DarkOrange };
        for (int i = 0; i < bars.Length; i++)
        {
            var check = bars[i].Check;
            reached.Items.Add(new BarItem(check.Value!.Value) { Color = check.Verdict == "noisy" ? OxyColors.LightSteelBlue
                : OxyColors.Automatic });
            if (check.Floor is { } floor) floors.Points.Add(new ScatterPoint(floor, i));
            if (check.Goal is { } goal) goals.Points.Add(new ScatterPoint(goal, i));
        }

        foreach (var series in new Series[] { reached, floors, goals }) model.Series.Add(series);
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.RightBottom, LegendItemSpacing = 30, LegendLineSpacing = 4,
            LegendBorder = OxyColors.LightGray, LegendBackground = OxyColors.White, LegendPadding = 10 });
        return new SvgExporter { Width = Width, Height = Margins + RowHeight * bars.Length,
            UseVerticalTextAlignmentWorkaround = true }.ExportToString(model);
    }
}
