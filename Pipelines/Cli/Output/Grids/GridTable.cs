using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The times of a grid as CSV, a line per image.</summary>
internal static class GridTable
{
    public static string Csv(GridAxis rows, GridAxis? columns, IEnumerable<GridCell> cells)
    {
        var text = new StringBuilder(
            $"{Field(rows.Name)},{Field(columns?.Name ?? "column")},width,height,seed,evaluations,"
            + "latency_s,denoise_s,compile_s,steps_per_s,error\n");
        foreach (var cell in cells)
        {
            text.Append(Field(cell.Row)).Append(',').Append(Field(cell.Column)).Append(',');
            if (cell.Result is { } result)
                text.Append(CultureInfo.InvariantCulture,
                    $"{cell.Image!.Width},{cell.Image.Height},{result.Seed},{result.Settings.Evaluations},{cell.Seconds:0.0000},"
                    + $"{cell.DenoiseSeconds:0.0000},{cell.CompileSeconds:0.0000},{result.Settings.Steps / cell.DenoiseSeconds:0.000},");
            else text.Append(",,,,,,,,").Append(Field(cell.Problem!));
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Field(string text) => text.AsSpan().IndexOfAny(',', '"', '\n') < 0 ? text
        : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
