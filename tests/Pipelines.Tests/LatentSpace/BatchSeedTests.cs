using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Image i of a batch equals the single image of seed + i, on a CPU bit for bit: it has its own noise at the start and in every step.
/// </summary>
public sealed class BatchSeedTests
{
    [Theory, InlineData("euler"), InlineData("euler_a"), InlineData("dpmpp_2m_sde"), InlineData("lcm"), InlineData("ddim")]
    public void Generate_BatchOfSeeds_EachImageIsThatOfItsSeedAlone(string scheduler)
    {
        using var device = new CpuDevice();
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = TinySdxl.Request
            with
        {
            Steps = 4,
            Width = 64,
            Height = 64,
            Scheduler = pipeline.CreateScheduler(scheduler),
            Decode = false,
            KeepIntermediates = true
        };
        if (scheduler == "ddim") request = request with { Eta = 1 };
        var together = pipeline.Generate(request with { Prompts = ["a red fox", "the cat"], Count = 2, Seed = ulong.MaxValue }, null,
            default);
        Assert.Equal([ulong.MaxValue, 0, 1, 2], together.Seeds.Select(s => s.Value));
        Assert.Equal((Seed)ulong.MaxValue, together.Seed);
        for (int i = 0; i < together.Seeds.Count; i++)
        {
            var alone = pipeline.Generate(request with { Prompts = [i < 2 ? "a red fox" : "the cat"], Seed = together.Seeds[i] }, null,
                default);
            Assert.Equal([together.Seeds[i]], alone.Seeds);
            int size = alone.Latents!.Values.Length;
            for (int step = 0; step < alone.Intermediates.Count; step++)
                Assert.Equal(alone.Intermediates[step].Values, together.Intermediates[step].Values.AsSpan(i * size, size).ToArray());
        }
    }

    [Fact]
    public void SharedGenerator_BatchOfTwo_DrawsOneTensor()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { Count = 2, Decode = false };
        float[] noise = new float[2 * 4 * 4 * 4];
        new TorchGenerator(7).Fill(noise);
        var shared = pipeline.Generate(request with { SharedGenerator = true }, null, default);
        Assert.Equal([7UL, 7UL], shared.Seeds.Select(s => s.Value));
        Assert.Equal(pipeline.Generate(request with { Latents = new Latents(2, 4, 4, 4, noise) }, null, default).Latents!.Values,
            shared.Latents!.Values);
        Assert.NotEqual(pipeline.Generate(request, null, default).Latents!.Values, shared.Latents!.Values);
    }

    [Fact]
    public void Settings_OfARun_HaveTheRequestedStepsAndCountEvaluations()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { Decode = false };
        Check(request with { Steps = 10, Scheduler = pipeline.CreateScheduler("plms") }, 10, 11);
        Check(request with { Steps = 10 }, 10, 10);
        Check(request with { Steps = 10, DenoisingEnd = 0.5 }, 10, 5);
        Check(request with { Steps = null, Sigmas = [10, 5, 0] }, 2, 2);
        Check(request with { Steps = null, Timesteps = [900, 500, 100] }, 3, 3);

        void Check(ImageRequest asked, int steps, int evaluations)
        {
            var settings = pipeline.Generate(asked, null, default).Settings;
            Assert.Equal((steps, evaluations), (settings.Steps, settings.Evaluations));
        }
    }
}
