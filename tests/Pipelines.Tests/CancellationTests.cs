using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Cancelling ends a request within a step, frees its memory and leaves the pipeline usable; disposing frees everything.
/// </summary>
public sealed class CancellationTests
{
    [Theory]
    [InlineData(GenerationStage.EncodePrompt, 0), InlineData(GenerationStage.EncodePrompt, 1), InlineData(GenerationStage.Denoise, 1),
        InlineData(GenerationStage.Denoise, 3), InlineData(GenerationStage.Decode, 1)]
    public async Task Generate_CancelledAtAnyStage_EndsWithinAStepAndReleasesMemory(GenerationStage stage, int done)
    {
        using var device = new CpuDevice();
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        long before = device.AllocatedBytes;
        var request = TinySdxl.Request with { Steps = 4, Count = 2 };
        using var source = new CancellationTokenSource();
        var seen = new List<GenerationProgress>();
        var progress = new Callback(p =>
        {
            seen.Add(p);
            if (p.Stage == stage && p.Done == done) source.Cancel();
        });

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipeline.GenerateAsync(request, progress, source.Token));

        Assert.Equal(source.Token, error.CancellationToken);
        Assert.Equal(new GenerationProgress(stage, done, seen[^1].Total), seen[^1]); // nothing was completed after the cancellation
        Assert.Equal(before, device.AllocatedBytes);
        Assert.Single((await pipeline.GenerateAsync(TinySdxl.Request)).Images);
    }

    [Fact]
    public async Task Generate_CancelledBeforehand_DoesNothing()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var task = pipeline.GenerateAsync(TinySdxl.Request, new Callback(_ => Assert.Fail("Work was begun.")),
            new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
    }

    [Fact]
    public async Task Dispose_AfterARun_FreesAllMemory()
    {
        using var device = new CpuDevice();
        var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        await pipeline.GenerateAsync(TinySdxl.Request);
        Assert.True(device.AllocatedBytes > 0, "The largest arena is kept for the next request.");
        pipeline.Trim();
        Assert.Equal(0, device.AllocatedBytes);
        await pipeline.GenerateAsync(TinySdxl.Request);
        pipeline.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        pipeline.Dispose(); // a second call does no harm
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pipeline.GenerateAsync(TinySdxl.Request));
    }

    [Fact]
    public async Task Dispose_WhileDrawing_EndsTheRequestFirst()
    {
        using var device = new CpuDevice();
        var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        using var begun = new SemaphoreSlim(0);
        var task = pipeline.GenerateAsync(TinySdxl.Request with { Steps = 1000 }, new Callback(p =>
        {
            if (p is { Stage: GenerationStage.Denoise, Done: 1 }) begun.Release();
            Thread.Sleep(10); // up to ten seconds, so that it is not over before the disposing thread runs
        }));
        await begun.WaitAsync();
        pipeline.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
    }

    [Fact]
    public async Task Dispose_TwiceAtOnce_WaitsTwice()
    {
        var requests = new ActiveRequests(typeof(DiffusionPipeline));
        using ManualResetEventSlim begun = new(), end = new();
        var request = Task.Run(() => requests.Run(_ =>
        {
            begun.Set();
            end.Wait(CancellationToken.None); // as in a running kernel
            return 1;
        }, default));
        begun.Wait(TestContext.Current.CancellationToken);
        Task[] disposals = [Task.Run(requests.Dispose), Task.Run(requests.Dispose)];
        var early = await Task.WhenAny([.. disposals, Task.Delay(200, TestContext.Current.CancellationToken)]);
        end.Set();
        Assert.DoesNotContain(early, disposals);
        await Task.WhenAll(disposals);
        Assert.Equal(1, await request);
    }

    [Fact]
    public async Task Dispose_FromSeveralThreads_FreesOnce()
    {
        const int Threads = 8;
        using var device = new CpuDevice(threads: 2);
        for (int round = 0; round < 5; round++)
        {
            var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder,
                new PipelineOptions { Device = device, Quantize = QuantizationMode.Int8 });
            await pipeline.GenerateAsync(TinySdxl.Request with { Steps = 1 });
            Assert.True(device.AllocatedBytes > 0);
            using var together = new Barrier(Threads);
            long[] left = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    together.SignalAndWait();
                    pipeline.Dispose();
                    return device.AllocatedBytes;
                },
                TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.All(left, bytes => Assert.Equal(0, bytes));
        }
    }

    [Fact]
    public async Task Generate_BadRequest_LeavesThePipelineUsable()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        foreach (var (request, names) in BadRequests)
        {
            var error = await Assert.ThrowsAnyAsync<ArgumentException>(() => pipeline.GenerateAsync(request));
            Assert.Contains(names, error.Message, StringComparison.Ordinal);
        }

        Assert.Single((await pipeline.GenerateAsync(TinySdxl.Request)).Images);
    }

    private static (ImageRequest, string)[] BadRequests { get; } =
    [
        (TinySdxl.Request with { Width = 33 }, "width is 33; it must be a multiple of 8"),
        (TinySdxl.Request with { Height = 0 }, "height is 0"),
        (TinySdxl.Request with { Width = 1 << 14, Height = 1 << 14 }, "size is 16384x16384"),
        (TinySdxl.Request with { Count = 0 }, "count is 0"),
        (TinySdxl.Request with { Count = 100_000 }, "count is 100000"),
        (TinySdxl.Request with { Steps = 0 }, "teps"),
        (TinySdxl.Request with { ClipSkip = -1 }, "clip skip is -1"),
        (TinySdxl.Request with { ClipSkip = 50 }, "clip skip is 50; it must be at most 2"),
        (TinySdxl.Request with { GuidanceScale = double.NaN }, "guidance scale is NaN"),
        (TinySdxl.Request with { GuidanceRescale = 2 }, "guidance rescale is 2"),
        (TinySdxl.Request with { DenoisingEnd = 0 }, "denoising end is 0"),
        (TinySdxl.Request with { DenoisingStart = 0.5 }, "given together with latents"),
        (TinySdxl.Request with { Steps = null, Sigmas = [] }, "igmas"),
        (TinySdxl.Request with { Steps = 3, Timesteps = [900] }, "only one of the three"),
        (TinySdxl.Request with { Latents = new Latents(1, 4, 3, 3, new float[36]) }, "latents is [1, 4, 3, 3]; it must be [1, 4, 4, 4]"),
        (TinySdxl.Request with { Latents = new Latents(1, 4, 4, 4, new float[5]) }, "latents is"),
        (TinySdxl.Request with { NegativePrompts = ["a", "b"] }, "negative prompts is 2"),
        (TinySdxl.Request with { Prompts = [] }, "prompt is absent"),
        (TinySdxl.Request with { Prompts = [null!] }, "prompt is null"),
    ];
}
