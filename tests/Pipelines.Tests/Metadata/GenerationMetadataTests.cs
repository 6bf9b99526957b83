using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>An image's metadata says how it was generated, and generating it again gives the same bytes.</summary>
public sealed class GenerationMetadataTests
{
    private static readonly Latents Start = new(1, 4, 4, 4, new float[64]);

    /// <summary>Requests that together set every property, and the expected JSON.</summary>
    private static (string Name, Func<DiffusionPipeline, ImageRequest> Request, string[] Json)[] Cases { get; } =
    [
        ("plain", _ => TinySdxl.Request,
            ["\"format\":1", "\"prompt\":\"a red fox\"", "\"seed\":7", "\"steps\":2", "\"width\":32",
                "\"scheduler\":\"EulerDiscreteScheduler\"", "\"beta_start\":0.00085"]),
        ("scheduler", p => TinySdxl.Request
            with { Scheduler = p.CreateScheduler("dpmpp_2m_karras", Settings("""{"solver_type": "heun", "sigma_min": 0.1}""")), Seed = -1,
                Steps = 4 },
            ["\"use_karras_sigmas\":true", "\"solver_type\":\"heun\"", "\"sigma_min\":0.1", "\"seed\":18446744073709551615"]),
        ("null", p => TinySdxl.Request
            with { Scheduler = p.CreateScheduler("euler_karras", Settings("""{"use_karras_sigmas": null}""")), Steps = 4 },
                ["\"use_karras_sigmas\":null"]),
        ("texts", _ => TinySdxl.Request
            with { Prompts = ["日本 \"x\"\n\u202e", "b"], NegativePrompts = [""], Prompts2 = ["c", "d"], NegativePrompts2 = ["e"],
                ClipSkip = 1, GuidanceScale = 3.1, GuidanceRescale = 0.7 },
            ["\"negative_prompt\":\"\"", "\"prompt_2\":\"c\"", "\"negative_prompt_2\":\"e\"", "\"clip_skip\":1", "\"guidance_scale\":3.1",
                "\"guidance_rescale\":0.7"]),
        ("noise", p => TinySdxl.Request with { Scheduler = p.CreateScheduler("ddim"), Eta = 0.4, Count = 2, DenoisingEnd = 0.8, Steps = 5 },
            ["\"eta\":0.4", "\"denoising_end\":0.8", "\"evaluations\":4"]),
        ("sigmas", _ => TinySdxl.Request with { Steps = null, Sigmas = [9.5, 3.25, 0], FreeU = new FreeU(0.9, 0.2, 1.3, 1.4) },
            ["\"sigmas\":[9.5,3.25,0]", "\"freeu\":[0.9,0.2,1.3,1.4]"]),
        ("timesteps", _ => TinySdxl.Request with { Steps = null, Timesteps = [900, 400] }, ["\"timesteps\":[900,400]"]),
        ("sizes", _ => TinySdxl.Request with
        {
            SizeConditioning = new()
            {
                OriginalSize = new(64, 48),
                TargetSize = new(40, 32),
                CropTopLeft = (1, -2),
                NegativeOriginalSize = new(16, 8),
                NegativeTargetSize = new(8, 24),
                NegativeCropTopLeft = (3, 4),
            },
        }, ["\"original_size\":[64,48]", "\"crop_top_left\":[1,-2]", "\"negative_target_size\":[8,24]",
            "\"negative_crop_top_left\":[3,4]"]),
        ("shared", p => TinySdxl.Request with { SharedGenerator = true, Count = 3, Scheduler = p.CreateScheduler("euler_a") },
            ["\"shared_generator_images\":3"]),
    ];

    [Fact]
    public void Read_SavedImage_DrawsTheSameBytesAgain()
    {
        using var folder = new TemporaryFolder();
        using var device = new CpuDevice(); // on which an image has the same bits alone and in a batch
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        foreach (var (name, request, json) in Cases)
        {
            var result = pipeline.Generate(request(pipeline), null, default);
            for (int i = 0; i < result.Images.Count; i++)
            {
                string path = Path.Combine(folder.Path, $"{name}-{i}.png");
                result.Images[i].Save(path);
                var metadata = GenerationMetadata.Read(path);
                Assert.Empty(metadata.DifferencesFrom(pipeline));
                Assert.Empty(metadata.Unmapped);
                Assert.Equal(result.Seeds[i], metadata.Request.Seed);
                if (i == 0) Assert.All(json, part => Assert.Contains(part, result.Images[0].RequestJson, StringComparison.Ordinal));
                var again = pipeline.Generate(metadata.RequestFor(pipeline), null, default);
                Assert.Equal(File.ReadAllBytes(path), again.Images[metadata.BatchPosition].EncodePng());
            }
        }
    }

    [Fact]
    public void DifferencesFrom_OtherSettings_NamesThem()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Quantize = QuantizationMode.Int8 });
        var metadata = GenerationMetadata.Of(pipeline.Generate(
            TinySdxl.Request with { VaeTiling = new(32) }, null, default).Images[0])!;
        Assert.Equal((QuantizationMode.Int8, new VaeTiling(32), "Float32"),
            (metadata.Quantize, metadata.Request.VaeTiling, metadata.DType));
        Assert.Equal((Path.GetFileName(TinySdxl.Folder), "StableDiffusionXLPipeline"), (metadata.Model, metadata.Pipeline));
        Assert.StartsWith("cpu (", metadata.Device, StringComparison.Ordinal);
        Assert.Empty(metadata.DifferencesFrom(pipeline));
        Assert.Equal(["model was 'other' and is", "quantization was 'None' and is"],
            (metadata with { Model = "other", Quantize = QuantizationMode.None }).DifferencesFrom(pipeline)
                .Select(d => d[..(d.IndexOf(" is ", StringComparison.Ordinal) + 3)]));
    }

    [Fact]
    public void Parameters_OfAnImage_HaveTheFormOfA1111()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request
            with
        {
            NegativePrompts = ["grey"],
            ClipSkip = 1,
            GuidanceScale = 4.5,
            Scheduler = pipeline.CreateScheduler("dpmpp_2m_karras"),
            Count = 2,
            Steps = 2
        };
        var images = pipeline.Generate(request, null, default).Images;
        string model = Path.GetFileName(TinySdxl.Folder);
        Assert.StartsWith($"a red fox\nNegative prompt: grey\nSteps: 2, Sampler: DPM++ 2M Karras, CFG scale: 4.5, Seed: 7, Size: 32x32, "
            + $"Model: {model}, Clip skip: 2, RNG: CPU, Version: ILGpuDiffusion ", images[0].Parameters, StringComparison.Ordinal);
        Assert.Contains("Seed: 8, ", images[1].Parameters, StringComparison.Ordinal);
        foreach (var (name, spoken) in new[]
        {
            ("euler", "Euler"), ("euler_karras", "Euler Karras"), ("euler_a", "Euler a"), ("dpmpp_2m", "DPM++ 2M"),
                ("dpmpp_2m_sde_karras", "DPM++ 2M SDE Karras"), ("ddim", "DDIM"), ("lcm", "LCM"), ("plms", "PLMS"),
        })
            Assert.Contains($"Steps: 4, Sampler: {spoken}, ",
                pipeline.Generate(TinySdxl.Request with { Steps = 4, Scheduler = pipeline.CreateScheduler(name) }, null,
                    default).Images[0].Parameters, StringComparison.Ordinal);
    }

    [Fact]
    public void RequestFor_ExternalLatents_NeedsThem()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var drawn = pipeline.Generate(TinySdxl.Request with { Latents = Start }, null, default).Images[0];
        var metadata = GenerationMetadata.Of(drawn)!;
        Assert.Contains("\"external_latents\":true", drawn.RequestJson, StringComparison.Ordinal);
        Assert.Equal("Latents", Assert.Throws<DiffusionRequestException>(() => metadata.RequestFor(pipeline)).Property);
        Assert.Equal(drawn.Pixels, pipeline.Generate(metadata.RequestFor(pipeline, Start), null, default).Images[0].Pixels);
    }

    [Theory]
    [InlineData("not json"), InlineData("{}"), InlineData("null"), InlineData("[]"), InlineData("""{"format":2,"prompt":"x"}"""),
        InlineData("""{"format":1,"prompt":"x","seed":-1}""")]
    [InlineData("""{"format":1,"prompt":"x","quantize":"9q"}"""), InlineData("""{"format":1,"prompt":"x","freeu":[1]}"""),
        InlineData("""{"format":1,"prompt":"x","target_size":[1,2,3]}""")]
    [InlineData("""{"format":1,"prompt":"x","guidance_scale":1e400}"""), InlineData("""{"format":1,"prompt":"x","sigmas":[1e400,0]}""")]
    public void Of_DamagedJson_FallsBackAndSaysSo(string json)
    {
        var image = new Image(1, 1, new byte[3])
        {
            RequestJson = json,
            Parameters = "a cat\nSteps: 3, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 8x8, RNG: CPU"
        };
        var read = GenerationMetadata.Of(Image.Decode(image.EncodePng(), "test"))!;
        Assert.Equal(("a cat", 3), (read.Request.Prompts[0], read.Request.Steps));
        Assert.Contains("cannot be used", Assert.Single(read.Unmapped), StringComparison.Ordinal);
        Assert.Throws<ImageFileException>(() => GenerationMetadata.Of(new Image(1, 1, new byte[3]) { RequestJson = json }));
    }

    [Theory, InlineData("CFG scale: 1e999"), InlineData("CFG scale: NaN"), InlineData("Eta DDIM: Infinity")]
    public void Of_NonFiniteNumbers_AreUnmapped(string setting)
    {
        var read = GenerationMetadata.Of(
            new Image(1, 1, new byte[3]) { Parameters = $"a cat\nSteps: 3, Sampler: DDIM, {setting}, Seed: 1, Size: 8x8, RNG: CPU" })!;
        Assert.Contains("\"steps\":3", read.ToJson(), StringComparison.Ordinal);
        Assert.Contains(setting, Assert.Single(read.Unmapped), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ImageWithoutText_SaysSo()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "a.png");
        new Image(1, 1, new byte[3]).Save(path);
        Assert.Contains("has no generation metadata", Assert.Throws<ImageFileException>(() => GenerationMetadata.Read(path)).Message,
            StringComparison.Ordinal);
    }

    private static Dictionary<string, JsonElement> Settings(string json) =>
        JsonDocument.Parse(json).RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.Clone());
}
