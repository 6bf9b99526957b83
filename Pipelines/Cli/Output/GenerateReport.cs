using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>generate --json</c>.</summary>
internal static class GenerateReport
{
    /// <param name="result">The images, and how they came about.</param>
    /// <param name="files">Their files.</param>
    /// <param name="models">Names of the models, in the order in which they ran.</param>
    /// <param name="pipeline">The last of them.</param>
    /// <param name="loadSeconds">Time to load them.</param>
    public static object Of(GenerationResult result, string[] files, string[] models, DiffusionPipeline pipeline, double loadSeconds) => new
    {
        files,
        models,
        seed = result.Seed.Value,
        seeds = result.Seeds.Select(seed => seed.Value),
        width = result.Settings.Size.Width,
        height = result.Settings.Size.Height,
        steps = result.Settings.Steps,
        evaluations = result.Settings.Evaluations,
        guidance_scale = result.Settings.GuidanceScale,
        scheduler = result.Settings.SchedulerName,
        dtype = pipeline.DType.ToString(),
        types = PrecisionReport.Of(pipeline.Precisions),
        quantized = pipeline.QuantizedComponents.Select(Of),
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
        attention = pipeline.CompileReports.SelectMany(report => report.Attention).Distinct().Select(AttentionReport.Of),
        compile = CompilationReport.Of(pipeline.CompileReports),
        kernels = pipeline.Device.Kernels.Compilations,
        kernel_compilations = KernelDiskCache.Compilations,
        driver_compilations = KernelDiskCache.DriverCompilations,
        kernel_compile_seconds = Math.Round(KernelDiskCache.CompileSeconds, 4),
        graphs = CompiledGraph.Compilations,
        host_synchronisations_in_loop = result.Stages.Where(s => s.Stage == GenerationStage.Denoise).Sum(s => s.HostSynchronisations),
        warnings = result.Warnings,
    };

    /// <summary>What has int8 weights, and what was quantised for it.</summary>
    public static object Of(QuantizedComponent component) => new
    {
        name = component.Name,
        mode = component.Mode.ToString(),
        layers = component.Layers,
        quantized_layers = component.QuantizedLayers,
        original_bytes = component.OriginalBytes,
        bytes = component.Bytes,
    };
}
