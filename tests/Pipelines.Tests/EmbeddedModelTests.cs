using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The model that ships with the tool: the engine agrees with the PyTorch code that trained it, in each stage and in a whole run.
/// </summary>
public sealed class EmbeddedModelTests : IDisposable
{
    private const double Tolerance = 1e-3; // largest absolute difference: the accuracy of the training code's float32 numbers

    private readonly SafetensorsFile recorded = Golden.OpenFile("embedded/parity.safetensors"); // shared, not disposed here
    private readonly ModelConfig about = ModelConfig.Load(Golden.Folder("embedded/parity.json"));
    private readonly CpuDevice device = new();
    private readonly ArenaPool arenas;
    private readonly ModelFolder folder = ModelFolder.Open(EmbeddedModel.Folder);

    public EmbeddedModelTests() => arenas = new ArenaPool(device);

    public void Dispose()
    {
        arenas.Dispose();
        device.Dispose();
    }

    [Theory, InlineData("", "1"), InlineData("_2", "2")]
    public void TextEncoder_RecordedInputs_AgreesWithTraining(string suffix, string number)
    {
        var tokens = new[] { about.String("prompt"),
            about.String("negative_prompt") }.Select(ClipTokenizer.Load(folder.FolderOf("tokenizer" + suffix)).Encode).ToArray();
        Assert.Equal(recorded.ReadLongs($"text/in/ids_{number}"), tokens.SelectMany(t => t.Ids).Select(i => (long)i));

        var model = new ClipTextModel(folder.ConfigOf("text_encoder" + suffix));
        using var weights = folder.WeightsOf("text_encoder" + suffix);
        model.Load(weights);
        bool pooled = suffix.Length > 0;
        var text = new ClipTextEncoder(model, arenas).Encode([.. tokens.SelectMany(t => t.Ids)], tokens.Length,
            ClipHiddenState.StableDiffusionXl(null), pooled, arenas.Device);
        Same($"text/out/hidden_{number}", text.Hidden);
        if (pooled) Same("text/out/pooled", text.Pooled);
    }

    [Fact]
    public void UNet_RecordedInputs_AgreesWithTraining()
    {
        var unet = new UNet2DConditionModel(folder.ConfigOf("unet"));
        using var weights = folder.WeightsOf("unet");
        unet.Load(weights);
        var sample = recorded.Entries["unet/in/sample"].Shape;
        int tokens = recorded.Entries["unet/in/encoder_hidden_states"].Shape[1];
        using var plan = new CompiledGraph(unet.Trace(timeIds: 6),
            arenas).Rent(new Sizes(("batch", 1), ("height", sample[2]), ("width", sample[3]), ("tokens", tokens)));
        foreach (string name in new[] { "timestep", "encoder_hidden_states", "text_embeds", "time_ids" })
            recorded.ReadFloats($"unet/in/{name}").CopyTo(plan.Input(name).Span<float>());
        Latents.ToNhwc(recorded.ReadFloats("unet/in/sample"), plan.Input("sample").Span<float>(), 1, sample[1], sample[2] * sample[3]);
        plan.Run();
        float[] actual = new float[sample.Count];
        Latents.ToNchw(plan.Output("sample").Span<float>(), actual, 1, sample[1], sample[2] * sample[3]);
        Same("unet/out/sample", actual);
    }

    [Fact]
    public void Vae_RecordedInputs_AgreesWithTraining()
    {
        var vae = new AutoencoderKL(folder.ConfigOf("vae"));
        using var weights = folder.WeightsOf("vae");
        vae.Load(weights);
        var autoencoder = new Autoencoder(vae, arenas);
        var (latent, image) = (recorded.Entries["vae/in/latent"].Shape, recorded.Entries["vae/out/image"].Shape);

        float[] nhwc = new float[latent.Count];
        Latents.ToNhwc(recorded.ReadFloats("vae/in/latent"), nhwc, 1, latent[1], latent[2] * latent[3]);
        float[] pixels = autoencoder.Decode(nhwc, 1, latent[2], latent[3]), actual = new float[pixels.Length];
        Latents.ToNchw(pixels, actual, 1, image[1], image[2] * image[3]);
        Same("vae/out/image", actual);

        float[] input = new float[image.Count];
        Latents.ToNhwc(recorded.ReadFloats("vae/in/picture"), input, 1, image[1], image[2] * image[3]);
        float[] mean = new float[latent.Count];
        Latents.ToNchw(autoencoder.Encode(input, 1, image[2], image[3]).Mean, mean, 1, latent[1], latent[2] * latent[3]);
        Same("vae/out/mean", mean);
    }

    [Fact]
    public void Generate_RecordedRun_AgreesWithTraining()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder, new PipelineOptions { Device = device });
        var shape = recorded.Entries["run/in/latents"].Shape;
        var result = pipeline.Generate(new ImageRequest(about.String("prompt"))
        {
            NegativePrompts = [about.String("negative_prompt")],
            Steps = about.Int("steps"),
            GuidanceScale = about.Double("guidance_scale"),
            KeepIntermediates = true,
            Latents = new Latents(shape[0], shape[1], shape[2], shape[3], recorded.ReadFloats("run/in/latents")),
        }, null, default);
        Assert.Equal(about.String("scheduler"), result.Settings.SchedulerName);
        Same("run/out/latents_steps", [.. result.Intermediates.SelectMany(l => l.Values)]);
        float[] expected = recorded.ReadFloats("run/out/image"), actual = new float[expected.Length];
        result.Images[0].ToNchw(actual); // −1 … 1
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], (actual[i] + 1) / 2, 1.0 / 255);
    }

    [Fact]
    public async Task Generate_DefaultsTwice_GiveTheSameImage()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder);
        var request = new ImageRequest("a red heart") { Seed = 42 };
        var (first, second) = (await pipeline.GenerateAsync(request), await pipeline.GenerateAsync(request));
        Assert.Equal(first.Images[0].Pixels, second.Images[0].Pixels);
        Assert.Equal(0, first.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
        Assert.Equal(1, first.Stages.Single(s => s.Stage == GenerationStage.Decode).HostSynchronisations); // the pixels
        Assert.Equal(1, first.Stages.Sum(s => s.HostSynchronisations));
        Assert.Equal(pipeline.Defaults.Size, new PixelSize(first.Images[0].Width, first.Images[0].Height));
    }

    [Fact]
    public void Find_AbsentModel_NamesItsPackage()
    {
        string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName; // exists, but holds no model
        try
        {
            var e = Assert.Throws<ModelFileException>(() => EmbeddedModel.Find(folder));
            Assert.Equal(folder, e.File);
            Assert.Contains("Reference the package ILGpuDiffusion.Models.FluentEmoji", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private void Same(string name, ReadOnlySpan<float> actual)
    {
        float[] expected = recorded.ReadFloats(name);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Tolerance, $"{name}[{i}] is {actual[i]:G6}; training says {expected[i]:G6}.");
    }
}
