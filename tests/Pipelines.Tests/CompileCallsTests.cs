using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

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
