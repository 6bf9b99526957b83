using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>What recorded runs do not show: UNets made for inpainting, working on a part of an image, batches.</summary>
public sealed class InpaintingTests
{
    private const int Side = 32, Latent = Side / 8;

    private static readonly Image Original = Filled(Side, Side, (x, y) => (byte)(x * 7 + y * 3));

    /// <summary>White in the right half.</summary>
    private static readonly Image RightHalf = Filled(Side, Side, (x, _) => (byte)(x < Side / 2 ? 0 : 255));

    [Fact]
    public async Task UNetForInpainting_OneStep_ReadsMaskAndMaskedImage()
    {
        using var folder = new TemporaryFolder();
        string model = WriteInpaintingModel(folder);
        using var pipeline = DiffusionPipeline.FromPretrained(model);
        var scheduler = pipeline.CreateScheduler("euler");
        var request = TinySd.Request with
        {
            InitImage = Original,
            MaskImage = RightHalf,
            GuidanceScale = 1,
            Steps = 1,
            Scheduler = scheduler,
        };
        var result = pipeline.Generate(request, null, default);

        // the same by hand: noise, then the draw of the masked image; the UNet on nine channels; Euler's step on the host
        var generator = new TorchGenerator((Seed)7);
        float[] start = new float[4 * Latent * Latent], drawn = new float[start.Length];
        generator.Fill(start);
        generator.Fill(drawn);
        float[] pixels = new float[Side * Side * 3];
        Original.ToNhwc(pixels);
        for (int i = 0; i < pixels.Length; i++)
            if (i / 3 % Side >= Side / 2) pixels[i] = 0;
        float[] masked = pipeline.Vae.Encode(pixels, 1, Side, Side).Sample(Nhwc(drawn));
        var schedule = scheduler.CreateSchedule(1);
        var runner = new StepRunner(schedule, start.Length, single: true);
        float scale = (float)schedule.InputScale(0);
        float[] sample = Nhwc(start);
        for (int i = 0; i < sample.Length; i++) sample[i] *= (float)schedule.InitNoiseSigma;
        var text = await pipeline.EncodePromptsAsync(request);
        using var unet = new TestUNet(Path.Combine(model, "unet"), 0);
        float[] prediction = unet.Predict([.. Enumerable.Range(0, Latent * Latent).SelectMany(at => (float[])
        [
            .. sample.AsSpan(at * 4, 4).ToArray().Select(v => v * scale), at % Latent >= Latent / 2 ? 1 : 0,
            .. masked.AsSpan(at * 4, 4).ToArray().Select(v => v * 0.13025f),
        ])], Latent, Latent, (float)schedule.Timesteps[0],
            text.Prompt["encoder_hidden_states"].Values);
        runner[Slot.Sample] = [.. sample.Select(v => (double)v)];
        runner[Slot.ModelOutput] = [.. prediction.Select(v => (double)v)];
        runner.Step(0);

        float[] expected = new float[start.Length];
        Latents.ToNchw([.. runner[Slot.Sample].Select(v => (float)v)], expected, 1, 4, Latent * Latent);
        Close.Check("latents", result.Latents!.Values, expected, 1e-4);
    }

    [Fact]
    public void UNetForInpainting_WithoutAMask_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using var pipeline = DiffusionPipeline.FromPretrained(WriteInpaintingModel(folder));
        Assert.True(pipeline.Limits.InpaintingOnly);
        var error = Assert.Throws<DiffusionRequestException>(() => pipeline.Resolve(TinySd.Request));
        Assert.Equal(nameof(ImageRequest.MaskImage), error.Property);
        Assert.Contains("a model for inpainting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blending_AfterTheLastStep_LeavesTheRestOfTheImage()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { InitImage = Original, MaskImage = RightHalf, Strength = 1, GuidanceScale = 1 };
        float[] one = pipeline.Generate(request, null, default).Latents!.Values;
        float[] other = pipeline.Generate(request with { Prompts = ["the cat"] }, null, default).Latents!.Values;
        for (int i = 0; i < one.Length; i++)
            Assert.True(i % Latent < Latent / 2 == (one[i] == other[i]), $"value {i}: {one[i]} and {other[i]}");
    }

    [Fact]
    public void PaddingMaskCrop_OfALargeImage_ChangesTheMaskedPartAlone()
    {
        const int Large = 96;
        var original = Filled(Large, Large, (x, y) => (byte)(x * 2 + y));
        var mask = Filled(Large, Large, (x, y) => (byte)(x is >= 40 and < 56 && y is >= 40 and < 56 ? 255 : 0));
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var image = pipeline.Generate(TinySdxl.Request with
        {
            InitImage = original,
            MaskImage = mask,
            PaddingMaskCrop = 8,
            Strength = 1,
        }, null, default).Images[0];

        Assert.Equal((Large, Large), (image.Width, image.Height));
        int changed = 0;
        for (int i = 0; i < image.Pixels.Length; i += 3)
        {
            if (image.Pixels.AsSpan(i, 3).SequenceEqual(original.Pixels.AsSpan(i, 3))) continue;
            Assert.Equal(255, mask.Pixels[i]);
            changed++;
        }

        Assert.InRange(changed, 200, 256);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Batch_FromAnImage_GivesTheImagesThatEachWouldBeAlone(bool masked)
    {
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = TinySdxl.Request with { InitImage = Original, MaskImage = masked ? RightHalf : null, Strength = 0.9, Steps = 3 };
        var both = pipeline.Generate(request with { Count = 2 }, null, default);
        var second = pipeline.Generate(request with { Seed = both.Seeds[1] }, null, default);
        Assert.Equal(second.Images[0].Pixels, both.Images[1].Pixels);
        Assert.NotEqual(both.Images[0].Pixels, both.Images[1].Pixels);
        Assert.Equal(2, pipeline.Generate(request with { Count = 2, SharedGenerator = true }, null, default).Images.Count);
    }

    [Fact]
    public void Size_OfARunFromAnImage_IsTheImagesInWholeLatents()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { InitImage = Filled(45, 30, (_, _) => 9), Strength = 1, Width = null, Height = null };
        Assert.Equal(new PixelSize(40, 24), pipeline.Resolve(request).Size);
        Assert.Equal(new PixelSize(40, 64), pipeline.Resolve(request with { Height = 64 }).Size);
        Assert.Throws<DiffusionRequestException>(() => pipeline.Resolve(request with { InitImage = Filled(7, 30, (_, _) => 9) }));
    }

    [Fact]
    public void Strength_OfARequest_ChoosesTheSteps()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { InitImage = Original, Steps = 10 };
        Assert.Equal((7, 10), Range(request));
        Assert.Equal((4, 10), Range(request with { Strength = 0.6 }));
        Assert.Equal((1, 10), Range(request with { MaskImage = RightHalf }));
        Assert.Contains("at least 0.1, to leave one of 10 steps",
            Assert.Throws<DiffusionRequestException>(() => Range(request with { Strength = 0.05 })).Message, StringComparison.Ordinal);

        (int, int) Range(ImageRequest asked) => pipeline.Resolve(asked).Schedule is var (_, begin, end) ? (begin, end) : default;
    }

    private static string WriteInpaintingModel(TemporaryFolder folder)
    {
        string model = TinySd.WriteTo(Path.Combine(folder.Path, "model"));
        TinySd.Edit(model, "model_index.json", json => json["_class_name"] = "StableDiffusionInpaintPipeline");
        TinySd.Edit(model, Path.Combine("unet", "config.json"), json => json["in_channels"] = 9);
        TinySd.WriteUNet(model);
        return model;
    }

    private static float[] Nhwc(float[] nchw)
    {
        var nhwc = new float[nchw.Length];
        Latents.ToNhwc(nchw, nhwc, 1, 4, Latent * Latent);
        return nhwc;
    }

    private static Image Filled(int width, int height, Func<int, int, byte> level) => new(width, height,
        [.. Enumerable.Range(0, width * height).SelectMany(i => Enumerable.Repeat(level(i % width, i / width), 3))]);
}
