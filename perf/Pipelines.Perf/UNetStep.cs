using System.Diagnostics;
using System.Text.Json;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>Loads a UNet and times one forward pass: seconds, memory, and how much of it was planned.</summary>
internal static class UNetStep
{
    private const int TextTokens = 77, SdxlTimeIds = 6;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Run(string unetFolder, int side, int batch, int runs, int? threads)
    {
        var clock = Stopwatch.StartNew();
        using var device = new CpuDevice(threads);
        using var arenas = new ArenaPool(device);
        var unet = new UNet2DConditionModel(ModelConfig.Load(Path.Combine(unetFolder, "config.json")));
        using var checkpoint = Checkpoint.OpenFolder(unetFolder);
        unet.Load(checkpoint);
        double load = Lap(clock);

        var compiled = new CompiledGraph(unet.Trace(unet.HasAddedConditions ? SdxlTimeIds : 0), arenas);
        double trace = Lap(clock);
        using var plan = compiled.Rent(new Sizes(("batch", batch), ("height", side / 8), ("width", side / 8), ("tokens", TextTokens)));
        double planning = Lap(clock);

        var generator = new TorchGenerator(0);
        foreach (string input in compiled.Graph.Inputs.Keys) generator.Fill(plan.Input(input).Span<float>());
        plan.Input("timestep").Span<float>().Fill(500);
        clock.Restart();
        double[] seconds = [.. Enumerable.Range(0, runs).Select(_ => { plan.Run(); return Lap(clock); })];
        float[] output = plan.Output("sample").Span<float>().ToArray();

        long weights = unet.Parameters.Sum(p => p.Tensor.Type.Bytes), peak = ProcessMemory.PeakResidentBytes;
        return JsonSerializer.Serialize(new
        {
            model = unetFolder, pixels = side, batch, threads = device.Threads, processor = device.Name, architecture = device.Architecture,
            parameters = unet.Parameters.Sum(p => p.Shape.Count), weight_bytes = weights,
            load_seconds = load, trace_seconds = trace, plan_seconds = planning, run_seconds = seconds, best_seconds = seconds.Min(),
            launches = plan.LaunchCount, arena_bytes = plan.ArenaBytes, peak_live_bytes = plan.PeakLiveBytes, arena_over_live = (double)plan.ArenaBytes / plan.PeakLiveBytes,
            peak_resident_bytes = peak, peak_over_weights_and_arena = (double)peak / (weights + plan.ArenaBytes),
            output_finite = output.All(float.IsFinite), output_rms = Math.Sqrt(output.Average(v => (double)v * v)),
        }, Indented);
    }

    private static double Lap(Stopwatch clock)
    {
        double seconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        return seconds;
    }
}
