using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Implementations of attention in whole pipelines, by option, scope and model.</summary>
public sealed class AttentionBackendTests
{
    private static readonly ImageRequest Request = new("a red fox") { Seed = 1, Steps = 2, Width = 48, Height = 32 };

    [Theory]
    [InlineData(AttentionBackend.MemoryEfficient, "cpu/chunks"), InlineData(AttentionBackend.Math, "cpu/math")]
    public async Task Options_WithABackend_ApplyToEveryModelAndKeepTheImage(AttentionBackend backend, string kernel)
    {
        using var device = new CpuDevice(threads: 2);
        using var plain = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        using var other = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device, Attention = backend });
        Image expected = (await plain.GenerateAsync(Request, null, TestContext.Current.CancellationToken)).Images[0],
            actual = (await other.GenerateAsync(Request, null, TestContext.Current.CancellationToken)).Images[0];
        Assert.All(expected.Pixels.ToArray().Zip(actual.Pixels.ToArray()), p => Assert.InRange(p.First - p.Second, -1, 1));
        Assert.Equal(["cpu/simd"], Kernels(plain));
        Assert.Equal([kernel], Kernels(other));
        Assert.All(other.CompileReports.SelectMany(r => r.Attention), choice => Assert.StartsWith("requested; ", choice.Reason,
            StringComparison.Ordinal));
    }

    [Fact]
    public async Task Use_AroundARequest_TakesOtherPlansWithoutCompiling()
    {
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var expected = (await pipeline.GenerateAsync(Request, null, TestContext.Current.CancellationToken)).Images[0];
        int compilations = CompilationsOf(pipeline);
        using (Attention.Use(AttentionBackend.Math))
            await pipeline.GenerateAsync(Request, null, TestContext.Current.CancellationToken);
        Assert.Equal(["cpu/math", "cpu/simd"], Kernels(pipeline));
        var again = (await pipeline.GenerateAsync(Request, null, TestContext.Current.CancellationToken)).Images[0];
        Assert.Equal(expected.Pixels, again.Pixels);
        Assert.Equal(compilations, CompilationsOf(pipeline));
    }

    [Fact]
    public async Task SetAttentionBackend_OfTheMidBlock_LeavesTheOthers()
    {
        using var device = new CpuDevice(threads: 2);
        var options = new PipelineOptions { Device = device, LoadWeights = false };
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, options);
        pipeline.Denoiser.SetAttentionBackend(AttentionBackend.Math, layer => layer.Path == "mid_block");
        var plan = (await pipeline.InspectAsync(cancellation: TestContext.Current.CancellationToken))[0];
        Assert.Equal("denoiser", plan.Name);
        PlanReportStep[] steps = [.. plan.Report.Steps.Where(s => s.Attention is not null)];
        Assert.All(steps, step => Assert.Equal(step.Layer.StartsWith("mid_block", StringComparison.Ordinal) ? "cpu/math" : "cpu/simd",
            step.Variant));
        Assert.Contains(steps, step => step is { Variant: "cpu/math", ScratchBytes: > 0 });
        Assert.Contains(steps, step => step is { Variant: "cpu/simd", ScratchBytes: 0 });
    }

    private static string[] Kernels(DiffusionPipeline pipeline) =>
        [.. pipeline.CompileReports.SelectMany(r => r.Attention).Select(c => c.Kernel).Distinct().Order()];

    private static int CompilationsOf(DiffusionPipeline pipeline) => pipeline.CompileReports.Sum(r => r.Compilations);
}
