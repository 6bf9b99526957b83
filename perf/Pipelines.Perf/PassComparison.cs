using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Measures the gain of each graph pass: plans of one model with all passes, with none, and with each one left out, interleaved; the best
/// time of each counts. Also lists the plan's ops that are neither GEMMs, convolutions nor attention.
/// </summary>
internal static class PassComparison
{
    private const int TextTokens = 77, Burst = 3;
    private const double LongRun = 1; // seconds; such a run does not depend on the caches' previous content

    /// <summary>Compares plans and returns a Markdown table.</summary>
    /// <param name="folder">Folder of a UNet or of an autoencoder.</param>
    /// <param name="pixels">Height and width of the image.</param>
    /// <param name="runs">Rounds; in each, every plan runs three times, of which the first does not count, or once where that takes more
    /// than a second. 0 counts launches and runs nothing.</param>
    /// <param name="threads">Worker threads.</param>
    /// <param name="passes">Switches to leave out, one at a time; none leaves out each.</param>
    public static string Run(string folder, int pixels, int runs, int? threads, string[] passes)
    {
        using var device = new CpuDevice(threads);
        var (graph, sizes, checkpoint) = Trace(folder, pixels);
        using var weights = checkpoint;
        if (runs == 0) return LaunchesOnly(graph, device, sizes);
        var variants = new List<Variant> { new("all", graph, device, new(), sizes),
            new("none", graph, device, CompileOptions.Eager, sizes) };
        try
        {
            foreach (string pass in passes.Length > 0 ? passes : Switches())
                variants.Add(new($"without {pass}", graph, device, Without(pass), sizes));
            for (int run = 0; run <= runs; run++)
                foreach (var variant in variants) variant.Time(count: run > 0); // the first round is for the JIT and the page cache
            return Table(variants) + Environment.NewLine + Remaining(variants[0].Measure());
        }
        finally
        {
            variants.ForEach(v => v.Dispose());
        }
    }

    private static string LaunchesOnly(Graph graph, Device device, Sizes sizes)
    {
        using var arenas = new ArenaPool(device);
        PlanReport all = new CompiledGraph(graph, arenas).Report(sizes),
            none = new CompiledGraph(graph, arenas, CompileOptions.Eager).Report(sizes);
        return string.Create(CultureInfo.InvariantCulture,
            $"{all.Totals}\n{none.Steps.Count} launches a run without passes, arena {none.ArenaBytes / 1e6:F1} MB\n\n{Remaining(all)}");
    }

    private static (Graph Graph, Sizes Sizes, IDisposable Weights) Trace(string folder, int pixels)
    {
        var config = ModelConfig.Load(Path.Combine(folder, "config.json"));
        var checkpoint = Checkpoint.OpenFolder(folder);
        if (Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)) == "vae")
        {
            var vae = new AutoencoderKL(config);
            vae.Load(checkpoint);
            int side = pixels / vae.Config.SpatialFactor;
            return (Graph.Trace("vae.decode",
                g => g.Output("y", vae.Decode(
                    g.Input("x", DType.Float32, 1, Dim.Symbol("height"), Dim.Symbol("width"), vae.Config.LatentChannels)))),
                new Sizes(("height", side), ("width", side)), checkpoint);
        }

        var unet = new UNet2DConditionModel(config);
        unet.Load(checkpoint);
        return (UNetPrediction.Trace(unet, new(Guided: true)),
            new Sizes(("images", 1), ("height", pixels / 8), ("width", pixels / 8), ("tokens", TextTokens)), checkpoint);
    }

    private static IEnumerable<string> Switches() =>
        typeof(CompileOptions).GetProperties()
            .Where(p => p.SetMethod is not null && !Equals(p.GetValue(CompileOptions.Eager), p.GetValue(new CompileOptions())))
                .Select(p => p.Name);

    private static CompileOptions Without(string pass)
    {
        var options = new CompileOptions() with { };
        var property = typeof(CompileOptions).GetProperty(pass, BindingFlags.Public | BindingFlags.Instance)
            ?? throw new ArgumentException($"There is no pass '{pass}'; there are {string.Join(", ", Switches())}.");
        property.SetValue(options, property.GetValue(CompileOptions.Eager));
        return options;
    }

    private static string Table(List<Variant> variants)
    {
        double all = variants[0].Best;
        var text = new StringBuilder(
            "| passes | launches | once before | best, ms | median, ms | over all passes | best processor time, ms | over all passes |\n| "
                + "--- | --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var v in variants)
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {v.Name} | {v.Report.Steps.Count} | {v.Report.LoopInvariantSteps.Count} | {1e3 * v.Best:F2} | {1e3 * v.Median:F2} | "
                    + $"{v.Best / all:F3} | {1e3 * v.BestBusy:F2} | {v.BestBusy / variants[0].BestBusy:F3} |");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"\nPacked weights with all passes: {variants[0].PackedBytes / 1e6:F1} MB; arena {variants[0].Report.ArenaBytes / 1e6:F1} MB, "
                + $"without passes {variants[1].Report.ArenaBytes / 1e6:F1} MB.");
        return text.ToString();
    }

    /// <summary>Launches that copy values or compute them element by element.</summary>
    private static string Remaining(PlanReport report)
    {
        string[] heavy = ["matmul", "conv2d", "attention"];
        double bytes = report.Steps.Sum(s => s.Bytes);
        var text = new StringBuilder(
            "| remaining beside GEMMs, convolutions, attention | launches | MB | part of all bytes | part of the time |\n| --- | --- | "
                + "--- | --- | --- |\n");
        foreach (var kind in report.Steps.Where(s => !heavy.Any(h => s.Op.Contains(h, StringComparison.Ordinal))).GroupBy(s => s.Op)
            .OrderByDescending(g => g.Sum(s => s.Bytes)))
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {kind.Key} | {kind.Count()} | {kind.Sum(s => s.Bytes) / 1e6:F2} | {kind.Sum(s => s.Bytes) / bytes:P1} | "
                    + $"{kind.Sum(s => s.MeasuredSeconds) / report.MeasuredSeconds:P1} |");
        return text.ToString();
    }

    private sealed class Variant : IDisposable
    {
        private readonly ArenaPool arenas;
        private readonly Plan plan;
        private readonly List<double> seconds = [], busy = [];

        public Variant(string name, Graph graph, Device device, CompileOptions options, Sizes sizes)
        {
            (Name, arenas) = (name, new ArenaPool(device));
            var compiled = new CompiledGraph(graph, arenas, options);
            (Report, plan) = (compiled.Report(sizes), compiled.Rent(sizes));
            var generator = new TorchGenerator(0);
            foreach (string input in graph.Inputs.Keys) generator.Fill(plan.Input(input).Span<float>());
        }

        public string Name { get; }

        public PlanReport Report { get; }

        public long PackedBytes => arenas.PackedWeights.Bytes;

        public double Best => seconds.Min();

        /// <summary>Processor time of all threads: with one worker thread, what other programs on a busy machine change least.</summary>
        public double BestBusy => busy.Min();

        public double Median => seconds.Order().ElementAt(seconds.Count / 2);

        public PlanReport Measure() => plan.Measure(runs: seconds.Max() > LongRun ? 1 : 5);

        public void Time(bool count)
        {
            double first = Time();
            if (first > LongRun)
            {
                if (!count) Forget();
                return;
            }

            Forget(); // the first of a burst fills the caches
            for (int i = 1; i < Burst; i++) Time();
            if (!count) Forget(Burst - 1);
        }

        private void Forget(int runs = 1)
        {
            seconds.RemoveRange(seconds.Count - runs, runs);
            busy.RemoveRange(busy.Count - runs, runs);
        }

        private double Time()
        {
            var before = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            plan.Run();
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds, used = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            seconds.Add(elapsed);
            busy.Add(used);
            return elapsed;
        }

        public void Dispose()
        {
            plan.Dispose();
            arenas.Dispose();
        }
    }
}
