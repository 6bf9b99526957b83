using System.Diagnostics;
using System.Globalization;
using System.Text;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Measuring;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Guidance;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Times the preparation of a guided UNet, without weights: recording the layers, the passes for each scope, and the plan for each of some
/// sizes. All ways are interleaved in every round; the first round includes JIT compilation and is listed separately.
/// </summary>
internal static class CompileTimes
{
    private static readonly (string Name, CompileOptions Options)[] Ways =
    [
        ("no pass", CompileOptions.Eager), ("full", new()), ("blocks", new() { Scope = CompileScope.Blocks }),
            ("regions", new() { Scope = CompileScope.Regions }),
    ];

    private static readonly (string Name, int Images, int Side, int Tokens)[] Sizes =
    [
        ("512×512", 1, 64, 77), ("768×768", 1, 96, 77), ("512×512, two images", 2, 64, 77), ("512×512, 154 tokens", 1, 64, 154),
            ("1024×1024", 1, 128, 77),
    ];

    /// <summary>Two tables in Markdown.</summary>
    /// <param name="config">A UNet's config.json.</param>
    /// <param name="rounds">Number of rounds after the first.</param>
    /// <param name="only">The only way to measure, so that the first round is that of a fresh process; null for all.</param>
    public static string Run(string config, int rounds, string? only)
    {
        using var device = new CpuDevice(threads: 1);
        using var arenas = new ArenaPool(device);
        var unet = new UNet2DConditionModel(ModelConfig.Load(config));
        var ways = Ways.Where(way => only is null || way.Name == only).ToArray();
        if (ways.Length == 0)
            throw new ArgumentException($"--only is '{only}'; it must be one of {string.Join(", ", Ways.Select(way => way.Name))}.");
        var times = new Dictionary<string, List<(double Wall, double Processor)>>();
        var reports = new CompileReport[ways.Length];
        var plans = new PlanReport[ways.Length];
        for (int round = 0; round <= rounds; round++)
        {
            var graph = Time("recording", () => UNetPrediction.Trace(unet, new(Guided: true)));
            for (int i = 0; i < ways.Length; i++)
            {
                var way = ways[i];
                var compiled = Time($"passes: {way.Name}", () => new CompiledGraph(graph, arenas, way.Options));
                foreach (var size in way.Name is "full" or "no pass" || only is not null ? Sizes : Sizes[..1])
                    Time($"plan: {way.Name}, {size.Name}",
                        () => compiled.Report(new Sizes(("images", size.Images), ("height", size.Side), ("width", size.Side),
                            ("tokens", size.Tokens))));
                (reports[i], plans[i]) = (compiled.CompileReport,
                    compiled.Report(new Sizes(("images", 1), ("height", Sizes[0].Side), ("width", Sizes[0].Side),
                        ("tokens", Sizes[0].Tokens))));
            }
        }

        var text = new StringBuilder();
        text.AppendLine($"{Machine.Current(device)}").AppendLine();
        text.AppendLine($"| ms | first | best of {rounds} | median | processor time, median |")
            .AppendLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var (what, all) in times)
        {
            var warm = all.Skip(1).DefaultIfEmpty(all[0]).ToArray();
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {what} | {Ms(all[0].Wall)} | {Ms(warm.Min(t => t.Wall))} | {Ms(Timings.Middle(warm.Select(t => t.Wall)))} | "
                    + $"{Ms(Timings.Middle(warm.Select(t => t.Processor)))} |");
        }

        text.AppendLine().AppendLine("| scope | region | occurrences | ops before | after |")
            .AppendLine("| --- | --- | ---: | ---: | ---: |");
        foreach (var (report, way) in reports.Zip(ways))
            foreach (var region in report.Regions)
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"| {way.Name} | {region.Name}{(region.Path is null ? "" : $" ({region.Path})")} | {region.Occurrences} | "
                        + $"{region.OpsBefore} | {region.OpsAfter} |");
        text.AppendLine().AppendLine($"| scope | launches a run, {Sizes[0].Name} | once before | arena, MB | alive at once, MB |")
            .AppendLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var (plan, way) in plans.Zip(ways)) text.AppendLine(CultureInfo.InvariantCulture,
            $"| {way.Name} | {plan.Steps.Count} | {plan.LoopInvariantSteps.Count} | {plan.ArenaBytes / 1e6:F1} | "
                + $"{plan.PeakLiveBytes / 1e6:F1} |");
        return text.ToString();

        T Time<T>(string what, Func<T> work)
        {
            var (start, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var result = work();
            if (!times.TryGetValue(what, out var list)) times.Add(what, list = []);
            list.Add((Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds));
            return result;
        }
    }

    private static string Ms(double seconds) => (seconds * 1e3).ToString(seconds < 0.01 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
