using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Many sizes and batches in one pipeline: one compilation per kind of guidance, one plan per size, and images independent of their batch.
/// </summary>
public sealed class SizesAndBatchesTests
{
    [Fact]
    public void Generate_ManySizes_CompilesOnceWithAPlanEach()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        (int Width, int Height, int Count)[] sizes = [(32, 32, 1), (32, 32, 2), (32, 32, 3), (32, 32, 4), (40, 56, 1), (56, 40, 3),
            (24, 8, 1), (8, 8, 4), (72, 24, 2)];
        foreach (var (width, height, count) in sizes)
            for (int again = 0; again < 2; again++)
            {
                var result = pipeline.Generate(TinySdxl.Request with { Width = width, Height = height, Count = count, Steps = 1 }, null,
                    default);
                Assert.Equal(count, result.Images.Count);
                Assert.All(result.Images, i => Assert.Equal((width, height), (i.Width, i.Height)));
                Assert.All(result.Latents!.Values, v => Assert.True(float.IsFinite(v)));
            }

        var guided = Assert.Single(pipeline.Denoisers);
        Assert.Equal(sizes.Length, guided.Plans);

        pipeline.Generate(TinySdxl.Request with { GuidanceScale = 1 }, null, default); // without guidance: another kind
        pipeline.Generate(TinySdxl.Request with { GuidanceScale = 3 }, null, default); // another scale is the same kind
        Assert.Equal(2, pipeline.Denoisers.Count());
        Assert.Equal(sizes.Length, guided.Plans);
    }

    [Theory]
    [InlineData(2, 72, 40), InlineData(3, 40, 88), InlineData(4, 64, 64), InlineData(3, 8, 8), InlineData(5, 24, 16), InlineData(9, 56, 48)]
    public void Generate_BatchOnACpu_GivesTheImagesThatEachWouldBeAlone(int count, int width, int height)
    {
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = TinySdxl.Request with { Width = width, Height = height };
        int size = 4 * (width / 8) * (height / 8);
        var noise = new float[count * size];
        new TorchGenerator(3).Fill(noise);
        var together = pipeline.Generate(request with { Count = count, Latents = new Latents(count, 4, height / 8, width / 8, noise) },
            null, default);
        for (int i = 0; i < count; i++)
        {
            var alone = pipeline.Generate(request
                with
            { Latents = new Latents(1, 4, height / 8, width / 8, noise[(i * size)..((i + 1) * size)]) }, null, default);
            Assert.Equal(alone.Latents!.Values, together.Latents!.Values[(i * size)..((i + 1) * size)]);
            Assert.Equal(alone.Images[0].Pixels, together.Images[i].Pixels);
        }
    }

    [Fact]
    public void Generate_BatchOfAnInt8Model_GivesTheLatentsThatEachWouldBeAlone()
    {
        const int Count = 3, Side = 4, Size = 4 * Side * Side;
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder,
            new PipelineOptions { Device = device, Quantize = QuantizationMode.Int8 });
        var noise = new float[Count * Size];
        new TorchGenerator(3).Fill(noise);
        var together = pipeline.Generate(TinySdxl.Request with { Count = Count, Latents = new Latents(Count, 4, Side, Side, noise) }, null,
            default);
        for (int i = 0; i < Count; i++)
        {
            var alone = pipeline.Generate(TinySdxl.Request
                with
            { Latents = new Latents(1, 4, Side, Side, noise[(i * Size)..((i + 1) * Size)]) }, null, default);
            Assert.Equal(alone.Latents!.Values, together.Latents!.Values[(i * Size)..((i + 1) * Size)]);
        }
    }

    [Fact]
    public void Generate_SeveralPrompts_GivesTheLatentsOfEachAlone()
    {
        const int Side = 8, Size = 4 * Side * Side;
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var noise = new float[2 * Size];
        new TorchGenerator(3).Fill(noise);
        string[] prompts = ["a red fox", "the cat"], negatives = ["dog", "red"];
        var both = pipeline.Generate(TinySdxl.Request
            with
        {
            Prompts = prompts,
            NegativePrompts = negatives,
            Width = null,
            Height = null,
            Latents = new Latents(2, 4, Side, Side, noise)
        }, null, default);
        for (int i = 0; i < 2; i++)
        {
            var start = new Latents(1, 4, Side, Side, noise[(Size * i)..(Size * (i + 1))]);
            var alone = pipeline.Generate(TinySdxl.Request
                with
            { Prompts = [prompts[i]], NegativePrompts = [negatives[i]], Width = null, Height = null, Latents = start }, null,
                    default);
            Assert.Equal(alone.Latents!.Values, both.Latents!.Values[(Size * i)..(Size * (i + 1))]);
        }
    }

    [Fact]
    public async Task Generate_RequestsAtTheSameTime_GiveTheImagesOfOneAfterTheOther()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        ImageRequest[] requests =
        [
            TinySdxl.Request with { Steps = 4 }, TinySdxl.Request with { Steps = 3, Seed = 8, Width = 40, Count = 2 },
            TinySdxl.Request with { Steps = 3, Seed = 9, GuidanceScale = 1, Scheduler = pipeline.CreateScheduler("euler_a") },
        ];
        var apart = new List<GenerationResult>();
        foreach (var request in requests) apart.Add(await pipeline.GenerateAsync(request));
        var together = await Task.WhenAll(requests.Concat(requests).Select(r => pipeline.GenerateAsync(r)));
        for (int i = 0; i < together.Length; i++)
            Assert.All(together[i].Images.Zip(apart[i % requests.Length].Images),
                pair => Assert.Equal(pair.Second.Pixels, pair.First.Pixels));
    }
}
