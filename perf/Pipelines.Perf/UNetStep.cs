using System.Diagnostics;
using System.Text.Json;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Loads a UNet and times one forward pass: seconds, memory, and how much of it was planned. With a comparison, a plan of the graph as
/// recorded (no passes) takes turns with the compiled one.
/// </summary>
internal static class UNetStep
{
    private const int TextTokens = 77, SdxlTimeIds = 6;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Run(string unetFolder, int side, int batch, int runs, int? threads, bool compare, bool quantize)
    {
        var clock = Stopwatch.StartNew();
        using var device = new CpuDevice(threads);
        using var arenas = new ArenaPool(device);
        var unet = new UNet2DConditionModel(ModelConfig.Load(Path.Combine(unetFolder, "config.json")));
        using var checkpoint = Checkpoint.OpenFolder(unetFolder);
        unet.Load(checkpoint);
        using var int8 = quantize ? DynamicQuantization.Apply(unet, device: device) : null;
        double load = Lap(clock);

        var graph = unet.Trace(unet.HasAddedConditions ? SdxlTimeIds : 0);
        var compiled = new CompiledGraph(graph, arenas);
        double trace = Lap(clock);
        var sizes = new Sizes(("batch", batch), ("height", side / 8), ("width", side / 8), ("tokens", TextTokens));
        using var plan = compiled.Rent(sizes);
        double planning = Lap(clock);

        using var eager = compare ? new CompiledGraph(graph, arenas, CompileOptions.Eager).Rent(sizes) : null;
        Fill(compiled.Graph, plan);
        if (eager is not null) Fill(compiled.Graph, eager);
        clock.Restart();
        double[] seconds = new double[runs], eagerSeconds = new double[compare ? runs : 0];
        for (int i = 0; i < runs; i++)
        {
            seconds[i] = Lap(plan, clock);
            if (eager is not null) eagerSeconds[i] = Lap(eager, clock);
        }

        float[] output = plan.Output("sample").Span<float>().ToArray();

        long weights = unet.Parameters.Sum(p => p.Tensor.Type.Bytes), peak = ProcessMemory.PeakResidentBytes;
        return JsonSerializer.Serialize(new
        {
            model = unetFolder,
            pixels = side,
            batch,
            threads = device.Threads,
            processor = device.Name,
            architecture = device.Architecture,
            parameters = unet.Parameters.Sum(p => p.Shape.Count),
            weight_bytes = weights,
            int8_layers = int8?.Layers ?? 0,
            load_seconds = load,
            trace_seconds = trace,
            plan_seconds = planning,
            run_seconds = seconds,
            best_seconds = seconds.Min(),
            eager_run_seconds = eagerSeconds,
            eager_over_compiled = compare ? eagerSeconds.Min() / seconds.Min() : 0,
            eager_launches = eager?.LaunchCount,
            launches = plan.LaunchCount,
            arena_bytes = plan.ArenaBytes,
            peak_live_bytes = plan.PeakLiveBytes,
            arena_over_live = (double)plan.ArenaBytes / plan.PeakLiveBytes,
            peak_resident_bytes = peak,
            peak_over_weights_and_arena = (double)peak / (weights + plan.ArenaBytes),
            output_finite = output.All(float.IsFinite),
            output_rms = Math.Sqrt(output.Average(v => (double)v * v)),
        }, Indented);
    }

    private static void Fill(Graph graph, Plan plan)
    {
        var generator = new TorchGenerator(0);
        foreach (string input in graph.Inputs.Keys) generator.Fill(plan.Input(input).Span<float>());
        plan.Input("timestep").Span<float>().Fill(500);
    }

    private static double Lap(Plan plan, Stopwatch clock)
    {
        clock.Restart();
        plan.Run();
        return Lap(clock);
    }

    private static double Lap(Stopwatch clock)
    {
        double seconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        return seconds;
    }
}
