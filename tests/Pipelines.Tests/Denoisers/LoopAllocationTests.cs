using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The denoising loop allocates neither managed nor device memory from its first step to its last.</summary>
public sealed class LoopAllocationTests
{
    private const int Runs = 3;

    public static TheoryData<string> Schedulers => [.. SchedulerNames.Table.Select(sampler => sampler.Name)];

    [Theory, MemberData(nameof(Schedulers))]
    public void Loop_AfterTheFirstRun_AllocatesNothing(string scheduler)
    {
        using var device = new CpuDevice(threads: 1); // all work on the calling thread, whose allocations the runtime counts
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = TinySdxl.Request
            with
        { Steps = 6, GuidanceRescale = 0.5, Scheduler = pipeline.CreateScheduler(scheduler), Decode = false };
        pipeline.Generate(request, null, default); // code allocates while it is compiled in its first run
        // The loop would allocate in every run. Occasional allocations come from the runtime, when it replaces code with faster code.
        Assert.Equal(0, Enumerable.Range(0, Runs).Min(_ => ManagedBytes(pipeline, request, new Watch(device))));
    }

    private static long ManagedBytes(DiffusionPipeline pipeline, ImageRequest request, Watch watch)
    {
        pipeline.Generate(request, watch, default);
        Assert.True(watch.Count >= 6);
        Assert.Single(watch.Native.Take(watch.Count).Distinct());
        return watch.Managed[watch.Count - 1] - watch.Managed[0];
    }

    private sealed class Watch(Device device) : IProgress<GenerationProgress>
    {
        public readonly long[] Managed = new long[64], Native = new long[64];

        public int Count { get; private set; }

        public void Report(GenerationProgress value)
        {
            if (value.Stage != GenerationStage.Denoise) return;
            (Managed[Count], Native[Count]) = (GC.GetAllocatedBytesForCurrentThread(), device.AllocatedBytes);
            Count++;
        }
    }
}
