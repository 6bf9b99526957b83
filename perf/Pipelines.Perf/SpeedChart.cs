using System.Globalization;
using System.Security;
using System.Text;
using System.Text.Json;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// The README's chart: how many times faster than its peers this library runs whole models, from the results of <c>perf/run.sh targets</c>.
/// </summary>
internal static class SpeedChart
{
    private const double Width = 860, Left = 250, Right = 60, Top = 84, RowHeight = 26, GroupGap = 10, BarHeight = 16, Axis = 44;
    private const string Fonts = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

    // What is shown of the table, in this order: row, check, label.
    private static readonly (string Row, string Check, string Label)[] Shown =
    [
        ("sdxl-512", "float32 arithmetic", "SDXL UNet, 512×512"),
        ("sdxl-512", "int8 linears", "the same, int8"),
        ("sdxl-1024", "float32 arithmetic", "SDXL UNet, 1024×1024"),
        ("sd15", "UNet 256×256", "SD 1.5 UNet, 256×256"),
        ("sd15", "UNet 512×512", "SD 1.5 UNet, 512×512"),
        ("vae", "decode 256×256", "VAE decoder, 256×256"),
        ("vae", "decode 1024×1024", "VAE decoder, 1024×1024"),
    ];

    /// <summary>Draws the chart.</summary>
    /// <param name="results">The results, JSON.</param>
    public static string Draw(string results)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(results));
        var rows = json.RootElement.EnumerateArray().ToDictionary(row => row.GetProperty("id").GetString()!);
        var groups = Shown.Select(s => (s.Label, Bars: Ratios(rows[s.Row], s.Check))).Where(g => g.Bars.Length > 0).ToArray();
        var machine = rows[Shown[0].Row].GetProperty("machine");
        double most = Math.Ceiling(groups.Max(g => g.Bars.Max(b => b.Ratio))), scale = (Width - Left - Right) / most;
        double bottom = Top + groups.Sum(g => g.Bars.Length * RowHeight + GroupGap), height = bottom + Axis;
        var svg = new StringBuilder();
        Text(24, 34, "Times faster than the peer", "title");
        Text(24, 58, $"{machine.GetProperty("processor").GetString()}, {machine.GetProperty("threads")} threads, "
            + $"{Registers(machine.GetProperty("registers").GetString()!)}, {machine.GetProperty("date").GetString()}: medians, run in "
                + "turns in one process",
                "muted");
        for (int tick = 0; tick <= most; tick++)
        {
            Line(Left + tick * scale, Top - 8, Left + tick * scale, bottom, tick == 1 ? "one" : "grid");
            Text(Left + tick * scale, bottom + 18, $"{tick}×", tick == 1 ? "strong" : "muted", "middle");
        }

        double y = Top;
        foreach (var (label, bars) in groups)
        {
            Text(Left - 12, y + bars.Length * RowHeight / 2 + 4, label, "strong", "end");
            foreach (var (peer, ratio) in bars)
            {
                string kind = peer.StartsWith("libtorch", StringComparison.Ordinal) ? "torch" : "cpp";
                svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left:0.#}\" y=\"{y + 4:0.#}\" width=\"{ratio * scale:0.#}\" "
                    + $"height=\"{BarHeight}\" rx=\"2\" class=\"{kind}\"/>\n");
                Text(Left + ratio * scale + 6, y + 16, $"{ratio.ToString("0.0", CultureInfo.InvariantCulture)}×", "value");
                y += RowHeight;
            }

            y += GroupGap;
        }

        svg.Append(CultureInfo.InvariantCulture,
            $"<rect x=\"{Left + 330:0}\" y=\"22\" width=\"12\" height=\"12\" rx=\"2\" class=\"torch\"/>\n"
            + $"<rect x=\"{Left + 430:0}\" y=\"22\" width=\"12\" height=\"12\" rx=\"2\" class=\"cpp\"/>\n");
        Text(Left + 348, 33, "libtorch, f32", "legend");
        Text(Left + 448, 33, "stable-diffusion.cpp, f16", "legend");
        return string.Create(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" "
            + $"height=\"{height}\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"Times faster than the peer\">\n"
            + $"<style>\n{Style}\n</style>\n<rect width=\"{Width}\" height=\"{height}\" rx=\"8\" class=\"page\"/>\n{svg}</svg>\n");

        void Text(double x, double y, string text, string style, string anchor = "start") => svg.Append(CultureInfo.InvariantCulture,
            $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" class=\"{style}\" text-anchor=\"{anchor}\">{SecurityElement.Escape(text)}</text>\n");

        void Line(double x1, double y1, double x2, double y2, string style) => svg.Append(CultureInfo.InvariantCulture,
            $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" class=\"{style}\"/>\n");
    }

    private static string Style => $$"""
        text { font: 13px {{Fonts}}; fill: #1c2330; } .title { font-size: 19px; font-weight: 600; } .strong, .value { font-weight: 600; }
        .muted { fill: #667085; font-size: 12px; } .legend { font-size: 12px; } .page { fill: #ffffff; }
        .grid { stroke: #e1e6ed; } .one { stroke: #c73668; stroke-width: 2; } .torch { fill: #2f6fd0; } .cpp { fill: #0b8576; }
        @media (prefers-color-scheme: dark) { text { fill: #e6e9ef; } .muted { fill: #98a2b3; } .page { fill: #0f141b; } .grid { stroke: #222a35; } }
        """;

    private static string Registers(string name) => name switch { "simd512" => "AVX-512", "simd256" => "AVX2", _ => name };

    private static (string Peer, double Ratio)[] Ratios(JsonElement row, string check) =>
        [.. row.GetProperty("checks").EnumerateArray()
            .Where(c => c.GetProperty("what").GetString() == check && c.GetProperty("unit").GetString() == "×")
            .Select(c => (c.GetProperty("peer").GetString()!, c.GetProperty("value").GetDouble()))];
}
