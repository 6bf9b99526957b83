using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// If memory is short, caches are freed first, with a warning; if that is not enough, the error says what helps.
/// </summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class ShortMemoryTests
{
    private const int Mebibyte = 1 << 20, Width = 1024;

    [Fact]
    public void Allocation_OnCuda_TakesTheIdleArenasPlace()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api); // has 64 MiB
        using var log = new CollectingLoggerFactory();
        var device = new CudaDevice(api, CudaInfo.All(api)[0], new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes, log);
        Check(device, log, spy, failing: null);
    }

    [Theory, InlineData("CreateBuffer"), InlineData("EnqueueFillBuffer")]
    public void Allocation_OnOpenCl_TakesTheIdleArenasPlace(string function)
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        using var log = new CollectingLoggerFactory();
        Check(TestOpenCl.Open(api, loggerFactory: log), log, spy, function);
    }

    // If a function is named, its next call fails, as a driver's would while the idle arena exists.
    private static void Check(GpuDevice device, CollectingLoggerFactory log, DriverSpy spy, string? failing)
    {
        using (device)
        using (var arenas = new ArenaPool(device))
        {
            var traced = Graph.Trace("one", g =>
                g.Output("y", g.Add(new HandWrittenOp(3, 0), g.Input("x", DType.Float32, Dim.Symbol("rows"), Width))));
            var graph = new CompiledGraph(traced, arenas);
            var sizes = new Sizes(("rows", 20 * Mebibyte / 4 / Width));
            graph.Rent(sizes).Dispose();
            Assert.Equal(40L * Mebibyte, device.AllocatedBytes); // the idle arena: input and output
            if (failing is not null) (spy.FailOnceIn, spy.Error) = (failing, -4);
            using (device.Allocate(40 * Mebibyte)) Assert.Equal(40L * Mebibyte, device.AllocatedBytes);
            string expected = $"{device.Id}: memory is short, so 40 MiB that were kept for later requests were freed for 40 MiB";
            Assert.StartsWith(expected, Assert.Single(log.Warnings), StringComparison.Ordinal);

            using var plan = graph.Rent(sizes); // the plan is created again, and its arena is in use
            (spy.FailIn, spy.Error) = (failing ?? "MemAllocAsync", failing is null ? 2 : -4);
            string message = Assert.Throws<DeviceException>(() => device.Allocate(40 * Mebibyte)).Message;
            Assert.Contains("could not allocate 40 MiB of memory", message, StringComparison.Ordinal);
            Assert.Contains("The engine uses 40 MiB of", message, StringComparison.Ordinal);
            Assert.Contains("MiB are free. Offloading, tiled decoding", message, StringComparison.Ordinal);
            spy.FailIn = null;
            plan.Run(TestContext.Current.CancellationToken); // its memory was not freed
            device.Synchronize();
        }

        Assert.Empty(spy.Live);
        Assert.Equal(0, device.AllocatedBytes);
    }
}
