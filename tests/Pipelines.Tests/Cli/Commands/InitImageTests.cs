using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd generate</c> with initial images and masks.</summary>
public sealed class InitImageTests : IDisposable
{
    private static readonly string[] Run = ["--steps", "4", "--seed", "7", "--device", "cpu", "--threads", "1"];
    private readonly TemporaryFolder folder = new();

    public InitImageTests()
    {
        TestImages.Gradient(53, 37).Save(PathOf("init.png"));
        byte[] mask = new byte[53 * 37 * 3];
        for (int y = 8; y < 24; y++) Array.Fill(mask, (byte)255, (y * 53 + 16) * 3, 16 * 3);
        new Image(53, 37, mask).Save(PathOf("mask.png"));
    }

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Models => ["tiny-sdxl", "tiny-sd15"];

    [Theory, InlineData("tiny-sdxl", 2), InlineData("tiny-sd15", 3)] // PNDM evaluates its first step twice
    public async Task InitImage_WithStrength_DrawsWhatTheLibraryDraws(string model, int evaluations)
    {
        string path = TinySdxl.FolderOf(model);
        var result = await Generate(path, ["--init-image", "init.png", "--strength", "0.5", "-o", "a.png"]);
        Assert.Contains(result.ErrorLines, line => line.StartsWith($"denoise {evaluations}/{evaluations}", StringComparison.Ordinal));
        var image = Image.Load(PathOf("a.png"));
        Assert.Equal((48, 32), (image.Width, image.Height)); // the image's size in whole latents
        Assert.Equal(Draw(path, request => request with { Strength = 0.5 }).Pixels, image.Pixels);
        Assert.Contains("\"strength\":0.5", image.RequestJson, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Models))]
    public async Task MaskImage_WithBlurAndCrop_DrawsWhatTheLibraryDraws(string model)
    {
        string path = TinySdxl.FolderOf(model);
        var mask = Image.Load(PathOf("mask.png"));
        await Generate(path, ["--init-image", "init.png", "--mask-image", "mask.png", "-o", "a.png"]);
        var plain = Image.Load(PathOf("a.png"));
        Assert.Equal(Draw(path, request => request with { MaskImage = mask }).Pixels, plain.Pixels);
        await Generate(path, ["--init-image", "init.png", "--mask-image", "mask.png", "--mask-blur", "2", "--padding-mask-crop", "4",
            "--strength", "0.8", "-o", "b.png"]);
        var cropped = Image.Load(PathOf("b.png"));
        Assert.Equal(Draw(path, request => request with { MaskImage = mask, MaskBlur = 2, PaddingMaskCrop = 4, Strength = 0.8 }).Pixels,
            cropped.Pixels);
        Assert.NotEqual(plain.Pixels, cropped.Pixels);
    }

    [Fact]
    public async Task From_InpaintedImage_AsksForItsImagesAndDrawsItAgain()
    {
        string[] images = ["--init-image", "init.png", "--mask-image", "mask.png"];
        await Generate(TinySdxl.Folder, [.. images, "--mask-blur", "3", "--strength", "0.9", "-o", "a.png"]);
        Assert.Contains("\"mask_blur\":3", Image.Load(PathOf("a.png")).RequestJson, StringComparison.Ordinal);
        await Refused("--init-image is missing: 'a.png' was generated from an image", "--from", "a.png");
        await Refused("--mask-image is missing: 'a.png' was generated with a mask", "--from", "a.png", "--init-image", "init.png");
        var again = await Ilgd.Run(folder.Path, ["generate", "--from", "a.png", "--model", TinySdxl.Folder, "--device", "cpu", .. images,
            "-o", "b.png"]);
        Assert.True(again.ExitCode == 0, again.Errors);
        Assert.Equal(File.ReadAllBytes(PathOf("a.png")), File.ReadAllBytes(PathOf("b.png")));
    }

    [Theory]
    [InlineData("strength is 2; it must be above 0 and at most 1", "--strength", "2")]
    [InlineData("strength is 0.1; it must be at least 0.25, to leave one of 4 steps", "--strength", "0.1")]
    [InlineData("mask image is black; it must be white where the image is redrawn", "--mask-image", "black.png", "--padding-mask-crop",
        "4")]
    public async Task InitImage_ValueWrongForTheModel_NamesTheOption(string message, params string[] options)
    {
        new Image(53, 37, new byte[53 * 37 * 3]).Save(PathOf("black.png"));
        await Refused(message, ["a red fox", "--steps", "4", "--init-image", "init.png", .. options]);
    }

    [Fact]
    public async Task MaskImage_ModelMadeForInpainting_IsNeeded()
    {
        string model = TinySd.WriteTo(PathOf("inpainting"));
        TinySd.Edit(model, "unet/config.json", config => config["in_channels"] = 9);
        TinySd.WriteUNet(model);
        var refused = await Ilgd.Run(folder.Path, "generate", "a red fox", "--model", model, "--init-image", "init.png");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("mask image is absent; it must be given: inpainting is a model for inpainting", refused.ErrorLines[0],
            StringComparison.Ordinal);
        Assert.Contains("--mask-image", refused.ErrorLines[1], StringComparison.Ordinal);
        await Generate(model, ["--init-image", "init.png", "--mask-image", "mask.png", "-o", "a.webp"]);
        Assert.Equal((48, 32), (Image.Load(PathOf("a.webp")).Width, Image.Load(PathOf("a.webp")).Height));
    }

    [Fact]
    public async Task InitImage_NoImage_FailsWithItsName()
    {
        File.WriteAllText(PathOf("text.png"), "not an image");
        var result = await Ilgd.Run(folder.Path, "generate", "a red fox", "--model", TinySdxl.Folder, "--init-image", "text.png");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("text.png", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private async Task<IlgdResult> Generate(string model, string[] options)
    {
        var result = await Ilgd.Run(folder.Path, ["generate", "a red fox", "--model", model, .. Run, .. options]);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result;
    }

    private async Task Refused(string message, params string[] options)
    {
        var result = await Ilgd.Run(folder.Path, ["generate", "--model", TinySdxl.Folder, .. options, "-o", "refused.png"]);
        Assert.True(result.ExitCode == 2, $"exit code {result.ExitCode}: {result.Errors}");
        Assert.Contains(message, result.ErrorLines[0], StringComparison.Ordinal);
        Assert.InRange(result.ErrorLines.Length, 1, 2);
        Assert.False(File.Exists(PathOf("refused.png")));
    }

    private Image Draw(string model, Func<ImageRequest, ImageRequest> change)
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(model, new PipelineOptions { Device = device });
        var request = new ImageRequest("a red fox") { Steps = 4, Seed = 7, InitImage = Image.Load(PathOf("init.png")) };
        return pipeline.Generate(change(request), null, default).Images[0];
    }

    private string PathOf(string file) => Path.Combine(folder.Path, file);
}
