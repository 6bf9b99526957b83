using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Requests at the same time have memory of their own, which the next ones reuse.</summary>
public sealed class ConcurrentRequestsTests
{
    private const int Requests = 3;

    [Fact]
    public async Task Generate_ConcurrentlyTwice_NeedsNoMoreMemoryAndGivesTheSameImages()
    {
        using var device = new CpuDevice(threads: 2);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        byte[] alone = (await pipeline.GenerateAsync(TinySdxl.Request)).Images[0].Pixels.ToArray();
        long one = device.AllocatedBytes;
        await AllAtOnce();
        long kept = device.AllocatedBytes;
        Assert.InRange(kept, one + 1, Requests * one);
        await AllAtOnce();
        Assert.Equal(kept, device.AllocatedBytes);
        pipeline.Trim();
        Assert.Equal(0, device.AllocatedBytes);

        async Task AllAtOnce()
        {
            using var barrier = new Barrier(Requests);
            var progress = new Callback(p =>
            {
                if (p is { Stage: GenerationStage.Denoise, Done: 1 }) Assert.True(barrier.SignalAndWait(TimeSpan.FromMinutes(1)));
            });
            var results = await Task.WhenAll(Enumerable.Range(0, Requests)
                .Select(_ => Task.Factory.StartNew(() => pipeline.Generate(TinySdxl.Request, progress, default),
                    TaskCreationOptions.LongRunning)));
            Assert.All(results, result => Assert.Equal(alone, result.Images[0].Pixels.ToArray()));
        }
    }
}
