using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>Families, schedulers and step hooks that an application brings along.</summary>
public sealed class ExtensionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;
    private readonly CpuDevice device = new(threads: 1); // all work on the calling thread, where the runtime counts

    public ExtensionTests()
    {
        ShippedModel.Require();
        ToyFamily.Register();
        ToyScheduler.Register();
    }

    public void Dispose()
    {
        device.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Family_FromOutside_Draws()
    {
        using var pipeline = Load(ToyFamily.PlainClass);
        var request = new ImageRequest("red", "a blue one") { Seed = 1, Count = 2, NegativePrompts = ["green"] };
        var result = await pipeline.GenerateAsync(request, cancellation: Token);
        Assert.Equal(4, result.Images.Count);
        Assert.All(result.Images, image => Assert.Equal((32, 32), (image.Width, image.Height)));
        Assert.Equal(4, result.Images.Select(image => Convert.ToHexString(image.Pixels)).Distinct().Count());
        var again = await pipeline.GenerateAsync(new ImageRequest("a blue one") { Seed = result.Seeds[3], NegativePrompts = ["green"] },
            cancellation: Token);
        Assert.Equal(result.Images[3].Pixels, again.Images[0].Pixels);
        Assert.Contains("denoiser", pipeline.CompileReports.Select(report => report.Graph));
    }

    [Fact]
    public async Task FuseQkvProjections_FamilyWithoutThem_IsRefusedForThatPartAlone()
    {
        using var pipeline = Load(ToyFamily.PlainClass);
        var request = new ImageRequest("red") { Seed = 1, Steps = 2 };
        var before = await pipeline.GenerateAsync(request, cancellation: Token);
        string message = Assert.Throws<NotSupportedException>(() => pipeline.FuseQkvProjections()).Message;
        Assert.Contains("ToyDenoiser", message, StringComparison.Ordinal);
        Assert.Contains("unet: false", message, StringComparison.Ordinal);
        Assert.Contains("text encoders", Assert.Throws<NotSupportedException>(
            () => pipeline.FuseQkvProjections(unet: false, textEncoders: true)).Message, StringComparison.Ordinal);
        pipeline.FuseQkvProjections(unet: false);
        Assert.Equal(before.Images[0].Pixels, (await pipeline.GenerateAsync(request, cancellation: Token)).Images[0].Pixels);
    }

    [Fact]
    public async Task Quantize_FamilyFromOutside_QuantisesAndSavesWhatItHas()
    {
        string model = Path.Combine(folder, "toy"), saved = Path.Combine(folder, "int8");
        ToyFamily.Write(model, ToyFamily.PlainClass);
        var options = new PipelineOptions
        {
            Device = device,
            Quantize = QuantizationMode.Int8,
            QuantizeParts = QuantizedParts.Denoiser | QuantizedParts.Vae,
            QuantizeFilter = QuantizationFilter.Of(layer => layer.InFeatures >= 32),
        };
        using var pipeline = DiffusionPipeline.FromPretrained(model, options);
        Assert.Equal("vae", Assert.Single(pipeline.QuantizedComponents).Name); // the denoiser has a 3×3 convolution only
        pipeline.SaveQuantized(saved);
        using var again = DiffusionPipeline.FromPretrained(saved, new PipelineOptions { Device = device });
        Assert.Equal(0, Assert.Single(again.QuantizedComponents).QuantizedLayers);
        var request = new ImageRequest("red") { Seed = 1, Steps = 2 };
        Assert.Equal((await pipeline.GenerateAsync(request, cancellation: Token)).Images[0].Pixels,
            (await again.GenerateAsync(request, cancellation: Token)).Images[0].Pixels);
    }

    [Fact]
    public void Register_ClassOfAnotherFamily_IsRefused()
    {
        Assert.Contains("StableDiffusionPipeline", FamilyCatalog.Families.SelectMany(family => family.PipelineClasses));
        Assert.Contains("belongs to the family Toy",
            Assert.Throws<ArgumentException>(() => FamilyCatalog.Register(new ToyFamily())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_OfTwoPlansWithState_NeitherWaitsNorAllocates()
    {
        long[] bytes = new long[16];
        int count = 0;
        using var pipeline = Load(ToyFamily.MemoryClass);
        var request = new ImageRequest("red") { Steps = 8, Seed = 1, GuidanceScale = 3 };
        var measured = request with { OnStepEnd = _ => bytes[count++ % 16] = GC.GetAllocatedBytesForCurrentThread() };
        var result = await pipeline.GenerateAsync(measured, cancellation: Token);
        for (int i = 0; i < 3; i++) // code that runs for the first time allocates while it is compiled
        {
            count = 0;
            result = await pipeline.GenerateAsync(measured, cancellation: Token);
            if (bytes[7] == bytes[0]) break;
        }

        Assert.Equal(8, count);
        Assert.Equal(bytes[0], bytes[7]);
        Assert.Equal(0, result.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
        using var plain = Load(ToyFamily.PlainClass);
        // it remembers
        Assert.NotEqual((await plain.GenerateAsync(request, cancellation: Token)).Images[0].Pixels, result.Images[0].Pixels);
    }

    [Fact]
    public async Task Scheduler_FromOutside_IsFoundByItsName()
    {
        ToyFamily.Write(folder, ToyFamily.PlainClass, nameof(ToyScheduler));
        using var pipeline = DiffusionPipeline.FromPretrained(folder, new PipelineOptions { Device = device });
        var result = await pipeline.GenerateAsync(new ImageRequest("red") { Steps = 3, Seed = 2 }, cancellation: Token);
        Assert.Equal((nameof(ToyScheduler), 3), (result.Settings.SchedulerName, result.Settings.Evaluations));
        Assert.Contains(nameof(ToyScheduler), Scheduler.Names);
        Assert.Throws<ArgumentException>(() => Scheduler.Register(nameof(ToyScheduler), [], config => new ToyScheduler(config)));
    }

    [Fact]
    public async Task StepHook_WritesLatentsAndStops_AndTheResultShowsIt()
    {
        using var pipeline = Load(ToyFamily.PlainClass);
        var request = new ImageRequest("red") { Steps = 5, Seed = 3, GuidanceScale = 2, KeepLatents = true };
        var seen = new List<(int, double)>();
        var zeros = new Latents(1, 4, 8, 8, new float[256]);
        var result = await pipeline.GenerateAsync(request with
        {
            OnStepEnd = step =>
            {
                Assert.Equal((5, 2), (step.Steps, step.GuidanceScale));
                seen.Add((step.Step, step.Timestep));
                if (step.Step < 2) return;
                Assert.Contains(step.ReadLatents().Values, value => value != 0);
                step.WriteLatents(zeros);
                Assert.Throws<ArgumentException>(() => step.WriteLatents(zeros with { Width = 7 }));
                step.Stop();
            },
        }, cancellation: Token);
        Assert.Equal([0, 1, 2], seen.Select(s => s.Item1));
        Assert.Equal(seen.OrderByDescending(s => s.Item2), seen);
        Assert.Equal(zeros.Values, result.Latents!.Values);
        Assert.Equal(3, result.Settings.Evaluations);
    }

    [Fact]
    public async Task StepHook_ChangedGuidanceScale_CountsFromTheNextStepOn()
    {
        using var pipeline = Load(ToyFamily.PlainClass);
        var request = new ImageRequest("red") { Steps = 2, Seed = 3, GuidanceScale = 2, KeepLatents = true, KeepIntermediates = true };
        var plain = await pipeline.GenerateAsync(request, cancellation: Token);
        var changed = await pipeline.GenerateAsync(request with { OnStepEnd = step => step.GuidanceScale = 9 }, cancellation: Token);
        Assert.Equal(plain.Intermediates[0].Values, changed.Intermediates[0].Values);
        Assert.NotEqual(plain.Intermediates[1].Values, changed.Intermediates[1].Values);
    }

    [Fact]
    public async Task Stream_OfARequest_HasAPreviewPerStepAndEndsWithTheResult()
    {
        using var pipeline = Load("StableDiffusionXLPipeline");
        var request = new ImageRequest("a red heart") { Steps = 4, Seed = 1, Count = 2 };
        var updates = new List<GenerationUpdate>();
        await foreach (var update in pipeline.StreamAsync(request, new PreviewOptions { Every = 2 }, Token)) updates.Add(update);

        var denoising = updates.Where(u => u.Progress.Stage == GenerationStage.Denoise && u.Result is null).ToList();
        Assert.Equal([0, 2, 0, 2], denoising.Select(u => u.Previews.Count));
        Assert.All(denoising[3].Previews, image => Assert.Equal((16, 16), (image.Width, image.Height)));
        var plain = await pipeline.GenerateAsync(request, cancellation: Token);
        Assert.Equal(plain.Images[1].Pixels, updates[^1].Result!.Images[1].Pixels);
        Assert.All(updates[..^1], u => Assert.Null(u.Result));

        await foreach (var update in pipeline.StreamAsync(request with { Count = 1 }, new PreviewOptions { Every = 4, Decode = true },
            Token))
            if (update.Previews is [var decoded]) Assert.Equal((64, 64), (decoded.Width, decoded.Height));
    }

    [Fact]
    public async Task Stream_LeftEarly_CancelsTheRequest()
    {
        using var pipeline = Load("StableDiffusionXLPipeline");
        int seen = 0;
        await foreach (var _ in pipeline.StreamAsync(new ImageRequest("a red heart") { Steps = 1000, Seed = 1 }, null, Token))
            if (++seen == 4) break;
        Assert.Equal(4, seen);
        await Assert.ThrowsAsync<DiffusionRequestException>(async () =>
        {
            await foreach (var _ in pipeline.StreamAsync(new ImageRequest("a red heart") { Steps = 0 }, null, Token)) seen++;
        });
        Assert.Equal(4, seen);
    }

    [Fact]
    public async Task Embeddings_OfARequest_GiveTheSameImage()
    {
        using var pipeline = Load("StableDiffusionXLPipeline");
        var request = new ImageRequest("a red heart") { Steps = 2, Seed = 4, GuidanceScale = 3, NegativePrompts = ["blue"] };
        var embeddings = await pipeline.EncodePromptsAsync(request, Token);
        var given = new ImageRequest() { Steps = 2, Seed = 4, GuidanceScale = 3, Embeddings = embeddings };
        Assert.Equal((await pipeline.GenerateAsync(request, cancellation: Token)).Images[0].Pixels,
            (await pipeline.GenerateAsync(given, cancellation: Token)).Images[0].Pixels);

        var wrong = embeddings with { Negative = null };
        Assert.Equal(nameof(ImageRequest.Embeddings), (await Assert.ThrowsAsync<DiffusionRequestException>(() =>
            pipeline.GenerateAsync(given with { Embeddings = wrong }, cancellation: Token))).Property);
        wrong = new PromptEmbeddings(new Dictionary<string, HostTensor> { ["other"] = new([1, 4], new float[4]) }, embeddings.Negative);
        Assert.Contains("encoder_hidden_states", (await Assert.ThrowsAsync<DiffusionRequestException>(() =>
            pipeline.GenerateAsync(given with { Embeddings = wrong }, cancellation: Token))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public async Task PlainRun_OnACpu_ReadsBackItsPixelsAlone(int images)
    {
        using var pipeline = Load("StableDiffusionXLPipeline");
        long before = device.HostSynchronisations;
        await pipeline.GenerateAsync(new ImageRequest("a red heart") { Steps = 2, Seed = 1, Count = images }, cancellation: Token);
        Assert.Equal(images, device.HostSynchronisations - before);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private DiffusionPipeline Load(string className)
    {
        if (className == "StableDiffusionXLPipeline")
            return DiffusionPipeline.FromPretrained(EmbeddedModel.Folder, new PipelineOptions { Device = device });
        string model = Path.Combine(folder, className);
        ToyFamily.Write(model, className);
        return DiffusionPipeline.FromPretrained(model, new PipelineOptions { Device = device });
    }
}
