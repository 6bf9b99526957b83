using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Prompt to image against recorded runs of diffusers: latents after every step, and the image.</summary>
public sealed class WholeRunTests
{
    // of rms: the goldens' README suggests multiples of the run's own fp32-fp64 difference
    private const double Noise = 20, Floor = 2e-4;
    private const int OneLevel = 1;

    private static readonly (string Set, string Model, int Ours)[] Sets =
    [
        ("tiny-sdxl-goldens/txt2img_features", "tiny-sdxl", 16), ("tiny-sdxl-goldens/txt2img_schedulers", "tiny-sdxl", 29),
        ("tiny-sd15-goldens/txt2img", "tiny-sd15", 16), ("tiny-sd21-v-goldens/txt2img", "tiny-sd21-v", 14),
        ("tiny-sdxl-goldens/img2img_inpaint", "tiny-sdxl", 11), ("tiny-sd15-goldens/img2img_inpaint", "tiny-sd15", 5),
        ("tiny-sdxl-refiner-goldens/refiner", "tiny-sdxl-refiner", 2),
    ];

    public static TheoryData<string, string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (set, model, _) in Sets)
                // an absent set is one skipped row
                foreach (string id in Golden.Ids(set).DefaultIfEmpty("absent")) data.Add(set, model, id);
            return data;
        }
    }

    [Theory, MemberData(nameof(Runs))]
    public void Run_RecordedInputs_MatchesDiffusers(string set, string model, string id)
    {
        var golden = Golden.Open(set)[id];
        if (!golden.Params.TryGetProperty("scheduler", out _))
            Assert.Skip($"{id} records embeddings, not a run; EncodePromptTests compares it.");
        if (!RecordedRun.IsOurs(golden.Json))
            Assert.Skip($"{golden.Params.GetProperty("scheduler").GetString()} is not a supported scheduler.");

        string? png = golden.Json.TryGetProperty("png", out var name)
            ? Path.Combine(Path.GetDirectoryName(Golden.Folder(set + ".json"))!, name.GetString()!) : null;
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder(model));
        var result = pipeline.Generate(RecordedRun.Request(golden, png), null, default, () => RecordedRun.Noise(golden));

        double tolerance = Math.Max(Noise * golden.Json.GetProperty("final_latents_fp32_vs_fp64_rel_to_rms").GetDouble(), Floor);
        golden.Check("latents_steps", [.. result.Intermediates.SelectMany(l => l.Values)], tolerance);
        // only the requested ones
        Assert.Equal(result.Intermediates.Count, result.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
        if (png is not null) CheckImage(png, result.Images[0], golden);
    }

    [Fact]
    public void Runs_OfEachSet_IncludeTheExpectedNumberOfOurSchedulers()
    {
        foreach (var (set, _, ours) in Sets)
            Assert.Equal(ours, Golden.Open(set).Cases.Count(c =>
                c.Params.TryGetProperty("scheduler", out var s) && Scheduler.Names.Contains(s.GetString())));
    }

    [Theory]
    [InlineData("tiny-sdxl-goldens/txt2img_features", "tiny-sdxl"), InlineData("tiny-sd15-goldens/txt2img", "tiny-sd15"),
        InlineData("tiny-sd21-v-goldens/txt2img", "tiny-sd21-v")]
    public void FromSeed_RecordedRun_MatchesDiffusers(string set, string model)
    {
        var golden = Golden.Open(set)["from_seed"];
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder(model));
        var result = pipeline.Generate(RecordedRun.Request(golden, null), null, default);
        golden.Check("latents_steps", [.. result.Intermediates.SelectMany(l => l.Values)], Floor);
    }

    /// <summary>The first image of a run is recorded as PNG.</summary>
    private static void CheckImage(string png, Image image, GoldenCase golden)
    {
        var expected = Image.Load(png);
        Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
        int worst = image.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= OneLevel, $"{golden.Name}: the image differs by {worst} levels.");
    }
}
