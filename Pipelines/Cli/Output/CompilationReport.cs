using System.Globalization;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The compile reports in <c>--json</c> and text output.</summary>
internal static class CompilationReport
{
    public static object Of(IReadOnlyList<CompileReport> reports) => new
    {
        mode = reports.Select(r => Word(r.Options)).FirstOrDefault("none"),
        seconds = Math.Round(reports.Sum(r => r.Seconds), 4),
        distinct_regions = reports.Sum(r => r.Regions.Count),
        distinct_blocks = reports.Sum(r => r.DistinctBlocks),
        compilations = reports.Sum(r => r.Compilations),
        plans = reports.Sum(r => r.Plans),
        graphs = reports.Select(r => new
        {
            name = r.Graph,
            scope = r.Options.Scope.ToString().ToLowerInvariant(),
            trace_seconds = Math.Round(r.TraceSeconds, 4),
            pass_seconds = Math.Round(r.PassSeconds, 4),
            plan_seconds = Math.Round(r.PlanSeconds, 4),
            kernels = r.Kernels,
            plans = r.Plans,
            regions = r.Regions.Select(region =>
                new
                {
                    name = region.Name,
                    path = region.Path,
                    occurrences = region.Occurrences,
                    ops_before = region.OpsBefore,
                    ops_after = region.OpsAfter,
                    seconds = Math.Round(region.Seconds, 5)
                }),
        }),
    };

    /// <summary>Writes one line, and a table of the blocks.</summary>
    public static void Write(Page page, CompileReport report)
    {
        page.Paragraph(string.Create(CultureInfo.InvariantCulture,
            $"compiled: {Word(report.Options)}, {report.Options.Scope.ToString().ToLowerInvariant()}; recorded in " +
                $"{report.TraceSeconds * 1e3:F1} ms, " +
            $"passes {report.PassSeconds * 1e3:F1} ms, plan {report.PlanSeconds * 1e3:F1} ms; {report.Kernels} kernels"));
        var table = new Listing("region", "first", ">times", ">ops", ">after passes");
        foreach (var region in report.Regions)
            table.Add(region.Name, region.Path ?? "", $"{region.Occurrences}", $"{region.OpsBefore}", $"{region.OpsAfter}");
        if (report.Regions.Count > 0) page.Table(table);
        foreach (string note in report.Notes) page.Paragraph($"note: {note}");
    }

    private static string Word(CompileOptions options) => options.IsEager ? "none" : options.Mode switch
    {
        CompileMode.ReduceOverhead => "reduce-overhead",
        CompileMode.MaxAutotune => "max-autotune",
        _ => "default",
    };
}
