using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>Uses the library through its public API only.</summary>
public sealed class StrangerTests
{
    [Fact]
    public async Task Generate_WithPublicSettings_FollowsThem()
    {
        ShippedModel.Require();
        using var device = new CpuDevice(threads: 2);
        using (var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder, new PipelineOptions { Device = device }))
        {
            Assert.Equal("StableDiffusionXLPipeline", pipeline.PipelineClass);
            var steps = new List<int>();
            var request = new ImageRequest("a green apple", "a red heart")
            {
                NegativePrompts = ["blue"],
                Steps = 3,
                Seed = 1,
                Scheduler = pipeline.CreateScheduler("euler_a"),
                KeepIntermediates = true,
                Width = 40,
                Height = 32
            };
            var result = await pipeline.GenerateAsync(request, new Counter(steps), TestContext.Current.CancellationToken);

            Assert.Equal([1, 2, 3], steps);
            Assert.Equal(3, result.Intermediates.Count);
            Assert.All(result.Images, image => Assert.Equal((40, 32), (image.Width, image.Height)));
            Assert.Equal("EulerAncestralDiscreteScheduler", result.Settings.SchedulerName);
            Assert.Equal(result.Intermediates.Count, result.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
            Assert.NotEmpty(TerminalImage.Draw(result.Images[0], 20));
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public async Task Compile_ThroughThePublicApi_ChangesNoLatentsAndQuantizationDoes()
    {
        ShippedModel.Require();
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder,
            new PipelineOptions { Device = device, Compile = CompileOptions.Eager });
        var request = new ImageRequest("a red heart") { Steps = 2, Seed = 3, KeepLatents = true };
        async Task<GenerationResult> Draw() => await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
        CompileReport UNet() => pipeline.CompileReports.Single(report => report.Graph == "unet");

        var eager = await Draw();
        Assert.True(UNet().Options.IsEager);
        pipeline.FuseQkvProjections();
        pipeline.Denoiser.CompileRepeatedBlocks(new CompileOptions { Mode = CompileMode.ReduceOverhead, FullGraph = true });
        pipeline.Vae.Decoder.Compile();
        var compiled = await Draw();
        Assert.Equal(eager.Latents!.Values, compiled.Latents!.Values);
        Assert.InRange(UNet().DistinctBlocks, 1, UNet().BlockOccurrences);
        Assert.Contains(compiled.Warnings, warning => warning.Contains("cpu cannot record launches as a graph", StringComparison.Ordinal));

        using var int8 = DynamicQuantization.Apply(pipeline.Denoiser, layer => layer.InFeatures > 16);
        Assert.NotEqual(eager.Latents!.Values, (await Draw()).Latents!.Values); // traced anew: the int8 weights are in use
    }

    [Fact]
    public async Task Run_InTwoParts_EqualsAWholeRun()
    {
        ShippedModel.Require();
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder);
        var request = new ImageRequest("a red heart")
        {
            Steps = 5,
            Seed = 2,
            Scheduler = pipeline.CreateScheduler("euler"), // a single-step method: others lose their history at the cut
            Decode = false,
        };
        var whole = await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
        var part = await pipeline.GenerateAsync(request with { DenoisingEnd = 0.6 }, cancellation: TestContext.Current.CancellationToken);
        var rest = await pipeline.GenerateAsync(
            request with { DenoisingStart = 0.6, Latents = part.Latents, Decode = true, KeepLatents = true },
            cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(whole.Latents!.Values, rest.Latents!.Values);
        Assert.Empty(whole.Images);
        Assert.Single(rest.Images);
    }

    [Fact]
    public void Errors_OfThePublicApi_AreOfTheDocumentedTypes()
    {
        Assert.Throws<ModelFileException>(() => DiffusionPipeline.FromPretrained("no such folder"));
        Assert.Throws<ImageFileException>(() => Image.Load("no such image.png"));
        Assert.Throws<DeviceException>(() => DeviceCatalog.Open("cuda:99"));
    }

    private sealed class Counter(List<int> steps) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
            if (value.Stage == GenerationStage.Denoise) steps.Add(value.Done);
        }
    }
}
