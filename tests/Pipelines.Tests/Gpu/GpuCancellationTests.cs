using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A request that is cancelled in the middle of its loop gives back all of its memory, and the pipeline serves the next one.</summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class GpuCancellationTests
{
    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public async Task Request_CancelledInItsLoop_FreesWhatItTook(string id)
    {
        TestDevices.OpenForModels(id);
        using var device = TestDevices.OpenAnother(id);
        using (var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder, new PipelineOptions { Device = device, DType = DType.Float32 }))
        {
            var request = new ImageRequest("a red heart") { Seed = 42, Steps = 8 };
            var first = await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
            pipeline.Trim();
            long weights = device.AllocatedBytes;
            Assert.True(weights > 0);

            using var source = new CancellationTokenSource();
            var steps = new List<int>();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipeline.GenerateAsync(request, new Canceller(source, steps), source.Token));
            Assert.Equal([1, 2, 3], steps);
            Assert.Equal(weights, device.AllocatedBytes);

            var next = await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
            Assert.True(first.Images[0].Pixels.AsSpan().SequenceEqual(next.Images[0].Pixels));
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    private sealed class Canceller(CancellationTokenSource source, List<int> steps) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
            if (value.Stage != GenerationStage.Denoise) return;
            steps.Add(value.Done);
            if (value.Done == 3) source.Cancel();
        }
    }
}
