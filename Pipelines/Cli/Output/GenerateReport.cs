using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>generate --json</c>.</summary>
internal static class GenerateReport
{
    public static object Of(GenerationResult result, string[] files, DiffusionPipeline pipeline, double loadSeconds) => new
    {
        files,
        seed = result.Seed.Value,
        seeds = result.Seeds.Select(seed => seed.Value),
        width = result.Settings.Size.Width,
        height = result.Settings.Size.Height,
        steps = result.Settings.Steps,
        evaluations = result.Settings.Evaluations,
        guidance_scale = result.Settings.GuidanceScale,
        scheduler = result.Settings.SchedulerName,
        dtype = pipeline.DType.ToString(),
        device = new { id = pipeline.Device.Id, name = pipeline.Device.Name, architecture = pipeline.Device.Architecture },
        load_seconds = Math.Round(loadSeconds, 4),
        stages = result.Stages.Select(s => new
        {
            stage = s.Stage.ToString(),
            seconds = Math.Round(s.Seconds, 4),
            compile_seconds = Math.Round(s.CompileSeconds, 4),
            peak_bytes = s.PeakBytes,
            arena_bytes = s.ArenaBytes,
            launches = s.Launches,
        }),
        peak_bytes = pipeline.Device.PeakBytes,
        compile = CompilationReport.Of(pipeline.CompileReports),
        kernels = pipeline.Device.Kernels.Compilations,
        kernel_compilations = KernelDiskCache.Compilations,
        kernel_compile_seconds = Math.Round(KernelDiskCache.CompileSeconds, 4),
        graphs = CompiledGraph.Compilations,
        host_synchronisations_in_loop = result.Stages.First(s => s.Stage == GenerationStage.Denoise).HostSynchronisations,
        warnings = result.Warnings,
    };
}
