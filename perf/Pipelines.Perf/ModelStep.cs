using System.Diagnostics;
using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Loads a model and times forward passes: seconds, memory, the planned part of it, and time by kind of op. With a comparison, a plan of
/// the graph as recorded (no passes) is interleaved with the compiled one.
/// </summary>
internal static class ModelStep
{
    public static string Run(string model, int pixels, int batch, int runs, string where, DType dtype, int? threads, bool compare,
        bool int8)
    {
        using var device = DeviceCatalog.Open(where, threads);
        if (!device.Computes(dtype)) throw new ArgumentException($"--dtype is {dtype}; {device.Id} does not compute in it.");
        string folder = ModelFiles.Folder(model);
        using var compiled = new ModelRun(folder, pixels, batch, device, int8, dtype: dtype);
        using var eager = compare ? new ModelRun(folder, pixels, batch, device, int8, CompileOptions.Eager, dtype) : null;
        double[] seconds = new double[runs], eagerSeconds = new double[compare ? runs : 0];
        double[]? profile = null;
        for (int i = 0; i < runs; i++)
        {
            (seconds[i], double[] launches) = Time(compiled);
            if (seconds[i] == seconds.Take(i + 1).Min()) profile = launches;
            if (eager is not null) eagerSeconds[i] = Time(eager).Seconds;
        }

        float[] output = compiled.Output();
        var plan = compiled.Plan;
        long weights = compiled.WeightBytes, peak = ProcessMemory.PeakResidentBytes;
        return JsonSerializer.Serialize(new
        {
            model = folder,
            pixels,
            batch,
            dtype = dtype.ToString(),
            machine = Machine.Current(device),
            parameters = compiled.Model.Layer.Parameters.Sum(p => p.Shape.Count),
            weight_bytes = weights,
            int8_layers = compiled.Int8Layers,
            gflop = compiled.Report.Flops / 1e9,
            load_seconds = compiled.LoadSeconds,
            trace_seconds = compiled.TraceSeconds,
            plan_seconds = compiled.PlanSeconds,
            run_seconds = seconds,
            best_seconds = seconds.Min(),
            gflops = compiled.Report.Flops / seconds.Min() / 1e9,
            profile = compiled.ByKind(profile!),
            eager_run_seconds = eagerSeconds,
            eager_over_compiled = compare ? eagerSeconds.Min() / seconds.Min() : 0,
            eager_launches = eager?.Plan.LaunchCount,
            launches = plan.LaunchCount,
            arena_bytes = plan.ArenaBytes,
            peak_live_bytes = plan.PeakLiveBytes,
            arena_over_live = (double)plan.ArenaBytes / plan.PeakLiveBytes,
            device_peak_bytes = device.PeakBytes,
            peak_resident_bytes = peak,
            peak_over_weights_and_arena = (double)peak / (weights + plan.ArenaBytes),
            output_finite = output.All(float.IsFinite),
            output_rms = Math.Sqrt(output.Average(v => (double)v * v)),
        }, ResultFile.Json);
    }

    // On the CPU, timing each launch costs nothing. Elsewhere it would separate the launches, so that a run of its own measures it.
    private static (double Seconds, double[] Launches) Time(ModelRun run)
    {
        long start = Stopwatch.GetTimestamp();
        double[] launches = run.Profile();
        if (run.Device is not CpuDevice)
        {
            start = Stopwatch.GetTimestamp();
            run.Plan.Run();
            run.Device.Synchronize();
        }

        return (Stopwatch.GetElapsedTime(start).TotalSeconds, launches);
    }
}
