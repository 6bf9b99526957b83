using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// A request that is cancelled in its loop frees all of its memory, and the pipeline serves the next one.
/// </summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class GpuCancellationTests
{
    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public async Task Request_CancelledInItsLoop_FreesWhatItTook(string id)
    {
        TestDevices.OpenForModels(id);
        using var device = TestDevices.OpenAnother(id);
        using (var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder,
            new PipelineOptions { Device = device, DType = DType.Float32 }))
        {
            var request = new ImageRequest("a red heart") { Seed = 42, Steps = 8 };
            var first = await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
            pipeline.Trim();
            long weights = device.AllocatedBytes;
            Assert.True(weights > 0);

            using var source = new CancellationTokenSource();
            var steps = new List<int>();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                pipeline.GenerateAsync(request, new Canceller(source, steps), source.Token));
            Assert.Equal([1, 2, 3], steps);
            Assert.Equal(weights, device.AllocatedBytes);

            var next = await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken);
            Assert.True(first.Images[0].Pixels.AsSpan().SequenceEqual(next.Images[0].Pixels));
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    /// <summary>
    /// Dozens of kernels must be compiled; a cancelled request waits for none of them, and those that have not started are skipped.
    /// </summary>
    [Fact]
    public async Task Request_CancelledWhileKernelsCompile_EndsAtOnceAndTheNextOneWorks()
    {
        string folder = Path.Combine(Path.GetTempPath(), $"ilgd-cancel-{Guid.NewGuid():n}");
        using var device = TestDevices.OpenWithKernelsIn(folder);
        try
        {
            using (var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder,
                new PipelineOptions { Device = device, DType = DType.Float32 }))
            {
                int before = KernelDiskCache.Compilations;
                using var source = new CancellationTokenSource();
                var task = pipeline.GenerateAsync(TinySdxl.Request, cancellation: source.Token);
                Assert.True(SpinWait.SpinUntil(() => KernelDiskCache.Compilations >= before + 3, TimeSpan.FromSeconds(120)));
                await source.CancelAsync();
                var clock = Stopwatch.StartNew();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
                double seconds = clock.Elapsed.TotalSeconds;
                int begun = KernelDiskCache.Compilations;
                TestContext.Current.SendDiagnosticMessage($"Cancelled after {begun - before} kernels had begun; it took {seconds:F2} s.");
                Assert.InRange(seconds, 0, 5);
                Assert.InRange(begun - before, 3, 3 + 3 * Environment.ProcessorCount); // those that were running; a whole run needs dozens

                await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
                // and nothing continues in the background
                Assert.InRange(KernelDiskCache.Compilations - before, 3, 3 + 3 * Environment.ProcessorCount);
                Assert.Single((await pipeline.GenerateAsync(TinySdxl.Request with { Steps = 1 },
                    cancellation: TestContext.Current.CancellationToken)).Images);
                Assert.InRange(KernelDiskCache.Compilations - before, 4 + 3 * Environment.ProcessorCount, int.MaxValue);
            }

            Assert.Equal(0, device.AllocatedBytes);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
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
