using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Invalid requests are refused before any work, by an exception that names the property.</summary>
public sealed class BadRequestTests
{
    private static readonly Latents NotANumber = new(1, 4, 4, 4, [.. Enumerable.Range(0, 64).Select(i => i == 9 ? float.NaN : 0)]);

    private static readonly Image Grey = new(32, 32, [.. Enumerable.Repeat((byte)128, 32 * 32 * 3)]),
        Black = new(32, 32, new byte[32 * 32 * 3]);

    private static (ImageRequest Request, string Property, string Message)[] Cases { get; } =
    [
        (TinySdxl.Request with { Width = 33 }, "Width", "width is 33; it must be a multiple of 8, the factor of this model's VAE"),
        (TinySdxl.Request with { Count = 0 }, "Count", "count is 0"),
        (TinySdxl.Request with { Steps = 0 }, "Steps", "steps is 0"),
        (TinySdxl.Request with { Steps = 3, Timesteps = [900] }, "Steps", "only one of the three"),
        (TinySdxl.Request with { Steps = null, Timesteps = [900, double.NaN] }, "Timesteps", "timesteps[1] is NaN"),
        (TinySdxl.Request with { Steps = null, Sigmas = [double.PositiveInfinity, 0] }, "Sigmas", "sigmas[0] is"),
        (TinySdxl.Request with { GuidanceScale = double.PositiveInfinity }, "GuidanceScale", "guidance scale is"),
        (TinySdxl.Request with { GuidanceRescale = double.NaN }, "GuidanceRescale", "guidance rescale is NaN"),
        (TinySdxl.Request with { Eta = double.NaN }, "Eta", "Eta is NaN"),
        (TinySdxl.Request with { DenoisingEnd = double.NaN }, "DenoisingEnd", "denoising end is NaN"),
        (TinySdxl.Request with { DenoisingStart = double.NaN }, "DenoisingStart", "denoising start is NaN"),
        (TinySdxl.Request with { DenoisingEnd = 0.0001 }, "DenoisingEnd", "leave a step"),
        (TinySdxl.Request with { FreeU = new FreeU(1, double.NaN, 1, 1) }, "FreeU", "FreeU is FreeU { S1 = 1, S2 = NaN"),
        (TinySdxl.Request with { Latents = NotANumber }, "Latents", "latents is NaN at value 9; it must be finite numbers"),
        (TinySdxl.Request with { Latents = new Latents(1, 4, 4, 4, null!) }, "Latents", "without values"),
        (TinySdxl.Request with { ClipSkip = 50 }, "ClipSkip", "clip skip is 50"),
        (TinySdxl.Request with { Prompts = null! }, "Prompts", "prompt is null"),
        (TinySdxl.Request with { NegativePrompts = null! }, "NegativePrompts", "negative prompts is null"),
        (TinySdxl.Request with { Prompts2 = ["a", "b"] }, "Prompts2", "second prompts is 2"),
        (TinySdxl.Request with { SizeConditioning = null! }, "SizeConditioning", "size conditioning is null"),
        (TinySdxl.Request with { SizeConditioning = new() { TargetSize = new(-1, 8) } }, "SizeConditioning", "target size is -1x8"),
        (TinySdxl.Request with { Strength = 0.5 }, "Strength", "given together with an initial image"),
        (TinySdxl.Request with { InitImage = Grey, Strength = 0 }, "Strength", "strength is 0; it must be above 0 and at most 1"),
        (TinySdxl.Request with { MaskImage = Grey }, "MaskImage", "mask image is given alone"),
        (TinySdxl.Request with { InitImage = Grey, Latents = NotANumber }, "InitImage", "init image is given together with latents"),
        (TinySdxl.Request with { InitImage = Grey, PaddingMaskCrop = 8 }, "PaddingMaskCrop", "given together with a mask"),
        (TinySdxl.Request with { InitImage = Grey, MaskImage = Black, PaddingMaskCrop = 8 }, "MaskImage", "mask image is black"),
        (TinySdxl.Request with { InitImage = Grey, MaskImage = Grey, MaskBlur = double.NaN }, "MaskBlur", "mask blur is NaN"),
        (TinySdxl.Request with { AestheticScore = double.NaN }, "AestheticScore", "aesthetic score is NaN"),
        (TinySdxl.Request with { NegativeAestheticScore = double.NaN }, "NegativeAestheticScore", "negative aesthetic score is NaN"),
        (TinySdxl.Request with { DenoisingStart = 0.5 }, "DenoisingStart", "given together with latents, or an image, to go on from"),
    ];

    [Fact]
    public void Generate_BadRequest_NamesTheProperty()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        foreach (var (request, property, message) in Cases)
        {
            var error = Assert.Throws<DiffusionRequestException>(() => pipeline.Generate(request, null, default));
            Assert.Equal((property, property), (error.Property, error.ParamName));
            Assert.NotNull(typeof(ImageRequest).GetProperty(property));
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("--", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("Parameter '", error.Message, StringComparison.Ordinal);
        }

        var unknown = Assert.Throws<DiffusionRequestException>(() => pipeline.CreateScheduler("heun9"));
        Assert.Equal("Scheduler", unknown.Property);
    }

    [Fact]
    public void Generate_EmptyPrompt_DrawsWithANotice()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var result = pipeline.Generate(TinySdxl.Request with { Prompts = [""], GuidanceScale = 0 }, null, default);
        Assert.Single(result.Images);
        Assert.Contains("The prompt is empty", Assert.Single(result.Warnings), StringComparison.Ordinal);
    }
}
