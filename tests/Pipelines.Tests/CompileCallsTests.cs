using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The calls that compile a pipeline's models: the same image after each, and reports of their effect.
/// </summary>
public sealed class CompileCallsTests
{
    [Fact]
    public void Compile_EveryCall_ChangesTheGraphAndNotTheImage()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Compile = CompileOptions.Eager });
        byte[] Draw() => pipeline.Generate(TinySdxl.Request with { GuidanceScale = 5 }, null, default).Images[0].Pixels.ToArray();
        CompileReport Report(string graph) => pipeline.CompileReports.Single(r => r.Graph == graph);
        int Launches() => pipeline.Denoisers.Single().Report(Sizes).Steps.Count;

        byte[] expected = Draw();
        int eager = Launches();
        Assert.True(Report("unet").Options.IsEager && Report("vae.decode").Options.IsEager && Report("text_encoder").Options.IsEager);

        pipeline.FuseQkvProjections();
        Assert.Equal(expected, Draw());
        int fused = Launches();
        Assert.True(fused < eager, $"{fused} launches of {eager}.");

        pipeline.UnfuseQkvProjections();
        Assert.Equal(expected, Draw());
        Assert.Equal(eager, Launches());

        pipeline.Denoiser.CompileRepeatedBlocks(new() { FullGraph = true });
        Assert.Equal(expected, Draw());
        Assert.Equal(CompileScope.Blocks, Report("unet").Options.Scope);
        Assert.True(Report("vae.decode").Options.IsEager);
        Assert.True(Launches() < eager);

        pipeline.Denoiser.CompileRegions();
        pipeline.Vae.Decoder.Compile(new() { Mode = CompileMode.ReduceOverhead });
        Assert.Equal(expected, Draw());
        Assert.Equal((CompileScope.Regions, CompileMode.ReduceOverhead), (Report("unet").Options.Scope, Report("vae.decode").Options.Mode));
        Assert.True(Report("unet").DistinctBlocks > 0);

        pipeline.Denoiser.Compile();
        Assert.Equal(expected, Draw());
        Assert.True(Launches() <= 0.65 * eager, $"{Launches()} launches of {eager}.");
    }

    [Theory, InlineData(QuantizationMode.None, "matmul"), InlineData(QuantizationMode.Int8, "quantized_matmul")]
    public void FuseQkvProjections_OfEveryPart_GroupsAllAttentionsAndChangesNoBit(QuantizationMode mode, string op)
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions
        {
            Compile = CompileOptions.Eager,
            Quantize = mode,
            QuantizeParts = QuantizedParts.Denoiser | QuantizedParts.Vae | QuantizedParts.TextEncoders,
        });
        byte[] Draw() => pipeline.Generate(TinySdxl.Request with { GuidanceScale = 5 }, null, default).Images[0].Pixels.ToArray();
        (int, int) Grouped(CompiledGraph graph, Sizes sizes)
        {
            var report = graph.Report(sizes);
            string[] ops = [.. report.Steps.Concat(report.LoopInvariantSteps).Select(step => step.Op)];
            return (ops.Count(o => o == $"grouped_{op}"), ops.Count(o => o == "attention"));
        }

        byte[] expected = Draw();
        pipeline.FuseQkvProjections(textEncoders: true);
        Assert.Equal(expected, Draw());
        var (groups, attentions) = Grouped(pipeline.Denoisers.Single(), Sizes);
        Assert.Equal(attentions, groups); // each second one is cross-attention, with key and value
        Assert.Equal((1, 1), Grouped(pipeline.Vae.DecoderGraph, new(("batch", 1), ("height", 4), ("width", 4))));
        Assert.Equal((1, 1), Grouped(pipeline.Vae.EncoderGraph, new(("batch", 1), ("height", 32), ("width", 32))));
        Assert.All(pipeline.Model.TextEncoderGraphs, graph =>
        {
            var (grouped, all) = Grouped(graph, new(("batch", 1), ("tokens", 77)));
            Assert.Equal(all, grouped);
            Assert.True(all > 0);
        });

        pipeline.UnfuseQkvProjections(textEncoders: true);
        Assert.Equal(expected, Draw());
        Assert.Equal((0, attentions), Grouped(pipeline.Denoisers.Single(), Sizes));
    }

    [Fact]
    public void Notes_OfARecompilation_AreInTheWarningsOnce()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Compile = new() { Dynamic = false } });
        IReadOnlyList<string> Draw(int width) => pipeline.Generate(TinySdxl.Request with { Width = width }, null, default).Warnings;
        Assert.DoesNotContain(Draw(32), w => w.Contains("compiled again", StringComparison.Ordinal));
        Assert.Contains(Draw(48), w => w.StartsWith("unet: compiled again", StringComparison.Ordinal));
        Assert.DoesNotContain(Draw(40), w => w.Contains("unet: compiled again", StringComparison.Ordinal));
        Assert.Equal(3, pipeline.CompileReports.Single(r => r.Graph == "unet").Compilations);
    }

    private static Sizes Sizes { get; } = new(("images", 1), ("height", 4), ("width", 4), ("tokens", 77));
}
