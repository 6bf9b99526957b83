using System.Globalization;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The rungs of a bench as bars of seconds per image, with the speed-up over the first one.</summary>
internal static class LadderPlot
{
    private const double Width = 900, Margin = 36, Head = 78, RowHeight = 46, BarHeight = 16, Foot = 30, Names = 150, Facts = 250;

    /// <summary>Writes the plot: an image by its extension, else SVG.</summary>
    public static void Save(BenchReport report, string path)
    {
        double height = Head + RowHeight * report.Ladder.Results.Count + Foot;
        if (Image.FileExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
        {
            var pixels = new PixelCanvas(Width, height);
            Draw(report, pixels, height);
            pixels.Image.Save(path);
            return;
        }

        var svg = new Svg();
        Draw(report, svg, height);
        OutputFile.WriteText(path, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Svg.N(Width)}\" height=\"{Svg.N(height)}\" "
            + $"viewBox=\"0 0 {Svg.N(Width)} {Svg.N(height)}\">\n<style>{PlanStyle.Svg}</style>\n{svg}</svg>\n");
    }

    private static void Draw(BenchReport report, ICanvas canvas, double height)
    {
        var results = report.Ladder.Results;
        var first = results[0];
        double left = Margin + Names, bars = Width - left - Facts - Margin;
        double most = results.Max(r => r.Median);
        canvas.Rect(0, 0, Width, height, "page");
        canvas.Text(Margin, 36, Svg.Fit($"{report.Ladder.Model} · {report.Size} · {first.Steps} steps", Width - 2 * Margin, 19),
            "t20 strong");
        canvas.Text(Margin, 58, Svg.Fit($"seconds per image on {report.Device}; median of {first.Runs.Count}, rungs interleaved",
            Width - 2 * Margin, 12), "t12 muted");
        foreach (var (i, result) in results.Index())
        {
            double y = Head + i * RowHeight, length = Math.Max(2, result.Median / most * bars);
            var difference = result.DifferenceTo(first);
            canvas.Text(left - 10, y + 13, Svg.Fit(result.Rung.Name, Names, 13), "t13 strong", Anchor.End);
            canvas.Rect(left, y, bars, BarHeight, "rail", null, 2);
            canvas.Rect(left, y, length, BarHeight, i == 0 ? "k5" : "k0", Describe(result), 2);
            canvas.Line(left + result.Best / most * bars, y - 2, left + result.Best / most * bars, y + BarHeight + 2, "bound");
            canvas.Text(left + bars + 10, y + 13, $"{Measures.Time(result.Median)} · {N(result.RatioTo(first), 2)}×", "t13 strong");
            canvas.Text(left, y + BarHeight + 14, Svg.Fit(result.Rung.Description, bars, 11), "t11 muted");
            canvas.Text(left + bars + 10, y + BarHeight + 14, Svg.Fit(
                $"{N(result.Steps / result.Of(x => x.Denoise), 2)} steps/s · {(double.IsFinite(difference.Psnr)
                    ? $"PSNR {N(difference.Psnr, 1)} dB" : "same image")}", Facts, 11), "t11 muted");
        }

        canvas.Text(Margin, height - 12, "The mark is the best image. Ratios are those of images drawn one after the other.", "t11 muted");
    }

    private static string Describe(RungResult result) => $"{result.Rung.Name}: {result.Rung.Description}\n"
        + $"{Measures.Time(result.Best)} at best, first image {Measures.Time(result.First.Total)}";

    private static string N(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
