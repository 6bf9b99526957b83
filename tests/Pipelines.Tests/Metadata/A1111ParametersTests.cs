using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The text that A1111 and similar programs write into images, read as far as it can be mapped.</summary>
public sealed class A1111ParametersTests
{
    private const string Foreign = """
        a castle, (towers:1.2) <lora:gothic:0.8>
        at dusk
        Negative prompt: blurry,
        low quality
        Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 3718254521, Size: 512x768, Model hash: 6ce0161689, Model: v1-5, Clip skip: 2, Hires upscaler: "Latent, \"x\": y", Version: v1.10.0
        """;

    [Fact]
    public void Parse_TextOfA1111_ReadsEveryField()
    {
        var read = A1111Parameters.Parse(Foreign);
        Assert.Equal(("a castle, (towers:1.2) <lora:gothic:0.8>\nat dusk", "blurry,\nlow quality"), (read.Prompt, read.NegativePrompt));
        Assert.Equal((20, "DPM++ 2M", 6.5, (Seed)3718254521), (read.Steps, read.Sampler, read.CfgScale, read.Seed));
        Assert.Equal((512, 768, "v1-5"), (read.Width, read.Height, read.Model));
        Assert.Equal(
            ["Schedule type=Karras", "Model hash=6ce0161689", "Clip skip=2", "Hires upscaler=Latent, \"x\": y", "Version=v1.10.0"],
                read.Extra.Select(e => $"{e.Key}={e.Value}"));
    }

    [Theory, InlineData("a cat", "dog", "Euler"), InlineData("", null, ""), InlineData("日本, \"x\": y", "ß", "DPM++ 2M Karras"),
        InlineData("two\nlines", "two\nlines", "a, b: c")]
    public void Parse_FormattedParameters_GivesThemBack(string prompt, string? negative, string sampler)
    {
        var written = new A1111Parameters(prompt)
        {
            NegativePrompt = negative,
            Steps = 3,
            Sampler = sampler,
            CfgScale = 0.5,
            Seed = ulong.MaxValue,
            Width = 8,
            Height = 16,
            Model = "m: 1, \\\"",
            Extra = [new("Note", "a, b")]
        };
        var read = A1111Parameters.Parse(written.Format());
        Assert.Equal(written with { Extra = [] }, read with { Extra = [] });
        Assert.Equal(written.Extra, read.Extra);
    }

    [Theory]
    [InlineData(""), InlineData("\n\n"), InlineData("Steps:"), InlineData("Steps: x, Size: 1x, Seed: 99999999999999999999, CFG scale: ,,,"),
        InlineData("Negative prompt:"), InlineData("Steps: 1, A: \"\\")]
    [InlineData("Steps: 1, A: \"\\ud800\"")]
    public void Parse_AnyText_IsAccepted(string text) => Assert.NotNull(A1111Parameters.Parse(text));

    [Fact]
    public void Of_TextOfA1111_IsMappedAndTheRestIsNamed()
    {
        var metadata = GenerationMetadata.Of(new Image(1, 1, new byte[3]) { Parameters = Foreign })!;
        Assert.Equal(("DPM++ 2M Karras", "v1-5", 1), (metadata.SchedulerName, metadata.Model, metadata.Request.ClipSkip));
        Assert.Equal((20, 6.5, (Seed?)3718254521, 512),
            (metadata.Request.Steps, metadata.Request.GuidanceScale, metadata.Request.Seed, metadata.Request.Width));
        Assert.Equal(3, metadata.Unmapped.Count);
        Assert.StartsWith("Hires upscaler: ", metadata.Unmapped[0], StringComparison.Ordinal);
        Assert.Contains("drawn on a GPU", metadata.Unmapped[1], StringComparison.Ordinal);
        Assert.Contains("<lora:", metadata.Unmapped[2], StringComparison.Ordinal);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        Assert.Equal("DPMSolverMultistepScheduler", metadata.RequestFor(pipeline).Scheduler!.Name);

        var unknown = GenerationMetadata.Of(new Image(1, 1, new byte[3]) { Parameters = "a\nSteps: 2, Sampler: Restart, RNG: CPU" })!;
        Assert.Null(unknown.SchedulerName);
        Assert.Equal(["Sampler: Restart"], unknown.Unmapped);
    }
}
