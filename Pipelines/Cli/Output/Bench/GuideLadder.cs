using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// The ladder of diffusers' guide "Accelerate inference" for any device: each rung adds one technique to those before it.
/// </summary>
internal static class GuideLadder
{
    private const string FewerStepsScheduler = "dpmpp_2m_karras";

    /// <summary>The rungs, slowest first.</summary>
    /// <param name="plain">Device and sources of the pipelines.</param>
    public static IReadOnlyList<Rung> For(PipelineOptions plain)
    {
        var device = plain.Device!;
        bool halves = device.PreferredDType != DType.Float32;
        var compiled = new CompileOptions { ProjectionGrouping = false };
        var fused = compiled with { ProjectionGrouping = true };
        var whole = plain with
        {
            Compile = CompileOptions.Eager,
            Attention = plain.Attention with { Backend = AttentionBackend.Math }, // all scores at once, as without SDPA
        };
        var rungs = new List<Rung>
        {
            new("float32", "float32, ops as recorded, attention by all scores", whole with { DType = DType.Float32 }),
        };
        if (halves) rungs.Add(new("16-bit", $"{device.PreferredDType} in place of float32", whole));
        rungs.Add(new("attention", "attention in tiles, without the matrix of scores", plain with { Compile = CompileOptions.Eager }));
        rungs.Add(new("compiled", "whole models compiled, channels-last as always", plain with { Compile = compiled }));
        if (device.RecordsLaunches)
            rungs.Add(new("cuda-graph", "the launches of a step as one CUDA graph",
                plain with { Compile = compiled with { Mode = CompileMode.ReduceOverhead } }));
        rungs.Add(new(Rung.MaxAutotune, "tiles and kernels measured on this device first",
            plain with { Compile = compiled with { Mode = CompileMode.MaxAutotune } }));
        rungs.Add(new("fused-qkv", "query, key and value as one GEMM",
            plain with { Compile = fused with { Mode = CompileMode.MaxAutotune } }));
        rungs.Add(new("int8", "linear layers in dynamic int8",
            plain with { Compile = fused with { Mode = CompileMode.MaxAutotune }, Quantize = QuantizationMode.Int8 }));
        rungs.Add(new("fewer-steps", "DPM-Solver++ 2M with Karras sigmas and two thirds of the steps",
            rungs[^1].Options)
        {
            Request = (pipeline, request) => request with
            {
                Scheduler = pipeline.CreateScheduler(FewerStepsScheduler),
                Steps = Math.Max(1, (request.Steps ?? pipeline.Defaults.Steps) * 2 / 3),
            },
        });
        return rungs;
    }
}
