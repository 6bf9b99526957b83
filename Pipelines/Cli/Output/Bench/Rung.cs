using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>One step of the ladder of optimizations: the options of a pipeline.</summary>
/// <param name="Name">Name for <c>--rungs</c>.</param>
/// <param name="Description">What it adds.</param>
/// <param name="Options">Options of the pipeline.</param>
internal sealed record Rung(string Name, string Description, PipelineOptions Options)
{
    /// <summary>The request of this rung.</summary>
    public Func<DiffusionPipeline, ImageRequest, ImageRequest> Request { get; init; } = (_, request) => request;

    /// <summary>The rungs of a device, slowest first: those of diffusers' optimization guide that it supports.</summary>
    /// <param name="plain">Device and sources of the pipelines.</param>
    public static IReadOnlyList<Rung> For(PipelineOptions plain)
    {
        var device = plain.Device!;
        var rungs = new List<Rung>();
        if (device.PreferredDType != DType.Float32)
            rungs.Add(new("eager-fp32", "every op as its layer recorded it, in float32",
                plain with { DType = DType.Float32, Compile = CompileOptions.Eager }));
        rungs.Add(new("eager", $"every op as its layer recorded it, in {device.PreferredDType}",
            plain with { Compile = CompileOptions.Eager }));
        rungs.Add(new("repeated-blocks", "repeated blocks compiled once, the rest as recorded",
            plain with { Compile = new() { Scope = CompileScope.Blocks, ProjectionGrouping = false } }));
        rungs.Add(new("compiled", "whole models compiled", plain with { Compile = new() { ProjectionGrouping = false } }));
        rungs.Add(new("fused-qkv", "and query, key and value as one GEMM: the default", plain));
        if (device.RecordsLaunches)
            rungs.Add(new("reduce-overhead", "and the launches of a step as one CUDA graph",
                plain with { Compile = new() { Mode = CompileMode.ReduceOverhead } }));
        rungs.Add(new("int8", "and linear layers in dynamic int8", plain with { Quantize = QuantizationMode.Int8 }));
        rungs.Add(new(MaxAutotune, "tiles measured first, if they were not before",
            plain with { Compile = new() { Mode = CompileMode.MaxAutotune } }));
        return rungs;
    }

    /// <summary>The rung that may take minutes before its first image, and therefore runs only when named.</summary>
    public const string MaxAutotune = "max-autotune";
}
