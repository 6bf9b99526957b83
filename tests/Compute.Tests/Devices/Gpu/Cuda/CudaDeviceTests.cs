using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The CUDA device with a stub of the driver: arguments, graphs, errors and memory. Kernel results are tested only on GPUs.
/// </summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class CudaDeviceTests
{
    [Fact]
    public void All_ThreeDevices_ReadsCapabilitiesAndProblems()
    {
        var devices = CudaInfo.All(StubCuda.Api);
        Assert.Equal(["sm_90", "sm_75", "sm_90"], devices.Select(d => d.Target.Architecture));
        Assert.Equal(["Stub 0", "Stub 1", "Stub 2"], devices.Select(d => d.Name));
        Assert.Equal(("12.4", 132, 232448, 64L << 20),
            (devices[0].Version, devices[0].Multiprocessors, devices[0].SharedBytes, devices[0].MemoryBytes));
        Assert.Equal([null, null, "its compute mode is 'prohibited'; change it with nvidia-smi -c 0"], devices.Select(d => d.Problem));
        Assert.Throws<DeviceException>(() => new CudaDevice(StubCuda.Api, devices[2], new HandWrittenOp.Artifacts()));
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Op_OnAnyDevice_ReceivesItsArguments(int ordinal)
    {
        using var device = Open(StubCuda.Api, ordinal);
        using var bound = new BoundCase(device, new OpCase("", new HandWrittenOp(2, -1), [new CaseTensor([5, 67], n => n, Padding: 3)], 0),
            outputPadding: 2);
        bound.Run();
        Assert.Equal(Enumerable.Range(0, 5 * 67).Select(n => 2.0 * n - 1), bound.Read());
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Life_OfADevice_LeavesNothingBehind(int ordinal)
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        GpuScenario.Run(Open(api, ordinal));
        Assert.Empty(spy.Live);
        Assert.Empty(spy.Misuses);
        Assert.Equal(ordinal == 0, spy.Calls.Contains("MemAllocAsync"));
    }

    [Fact]
    public void Run_OnTwoDevicesInTurn_GivesEachItsResult()
    {
        using var first = Open(StubCuda.Api, 0);
        using var second = Open(StubCuda.Api, 1);
        foreach (var device in new[] { first, second, first })
        {
            using var bound = new BoundCase(device, new OpCase("", new HandWrittenOp(1, 1), [new CaseTensor([3], n => n)], 0),
                outputPadding: 0);
            bound.Run();
            Assert.Equal([1, 2, 3], bound.Read());
        }

        Assert.Equal(("cuda:0", "cuda:1"), (first.Id, second.Id));
    }

    [Fact]
    public void Plan_WithReducedOverhead_IsRecordedOnceAndReplayed()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using var device = Open(api, 0);
        using var arenas = new ArenaPool(device);
        var graph = new CompiledGraph(Graph.Trace("chain", g =>
            g.Output("y", g.Add(new HandWrittenOp(3, 0),
                g.Add(new HandWrittenOp(2, -1), g.Input("x", DType.Float32, Dim.Symbol("rows"), 8))))), arenas,
                    new CompileOptions { Mode = CompileMode.ReduceOverhead });
        using (var plan = graph.Rent(new Sizes(("rows", 2))))
        {
            spy.Calls.Clear();
            for (int i = 0; i < 3; i++) plan.Run(TestContext.Current.CancellationToken);
            Assert.Equal(["StreamCreate", "StreamBeginCapture", "LaunchKernel", "LaunchKernel", "StreamEndCapture", "StreamDestroy",
                "GraphInstantiate", "GraphDestroy", "GraphLaunch", "GraphLaunch", "GraphLaunch"],
                spy.Calls.Where(c => c != "CtxSetCurrent"));
        }

        // Another plan takes the arena and enlarges it: the recording has to be updated.
        var other = new CompiledGraph(
            Graph.Trace("other", g => g.Output("y", g.Add(new HandWrittenOp(1, 0), g.Input("x", DType.Float32, Dim.Symbol("rows"), 8)))),
                arenas);
        other.Rent(new Sizes(("rows", 4000))).Dispose();
        spy.Calls.Clear();
        using (var plan = graph.Rent(new Sizes(("rows", 2)))) plan.Run(TestContext.Current.CancellationToken);
        Assert.Contains("GraphExecUpdate", spy.Calls);
        Assert.DoesNotContain("GraphInstantiate", spy.Calls);
    }

    [Fact]
    public void Plan_ThatIsCancelled_LeavesNothingBehind()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using (var device = Open(api, 0))
        using (var arenas = new ArenaPool(device))
        {
            var graph = new CompiledGraph(
                Graph.Trace("one", g => g.Output("y", g.Add(new HandWrittenOp(3, 0), g.Input("x", DType.Float32, 8)))), arenas);
            using var plan = graph.Rent(new Sizes());
            Assert.Throws<OperationCanceledException>(() => plan.Run(new CancellationToken(canceled: true)));
            Assert.DoesNotContain("LaunchKernel", spy.Calls);
        }

        Assert.Empty(spy.Live);
    }

    [Fact]
    public void Launch_ThatFails_NamesOpShapesAndDevice()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using (var device = Open(api, 0))
        using (var bound = new BoundCase(device, new OpCase("", new HandWrittenOp(1, 1), [new CaseTensor([3, 4], n => n)], 0),
            outputPadding: 0))
        {
            (spy.FailIn, spy.Error) = ("LaunchKernel", 700);
            var e = Assert.Throws<DeviceException>(bound.Run);
            string message = e.Message;
            Assert.Equal("cuda:0", e.Device);
            Assert.StartsWith("hand_written (HandWrittenOp.Kernel) of Float32[3, 4]", e.Op, StringComparison.Ordinal);
            Assert.StartsWith("cuda:0 (Stub 0): cuLaunchKernel failed with CUDA_ERROR_ILLEGAL_ADDRESS (700) in hand_written (", message,
                StringComparison.Ordinal);
            Assert.Contains("Float32[3, 4] → Float32[3, 4]", message, StringComparison.Ordinal);
            Assert.Contains("The device is lost", message, StringComparison.Ordinal);
        }

        Assert.Empty(spy.Live);
    }

    [Fact]
    public void Allocate_TooMuchMemory_SaysHowMuchIsFreeAndWhatHelps()
    {
        using var device = Open(StubCuda.Api, 0);
        using var some = device.Allocate(16 << 20);
        var e = Assert.Throws<DeviceException>(() => device.Allocate(60 << 20));
        string message = e.Message;
        Assert.Equal(("cuda:0", 60L << 20, 48L << 20), (e.Device, e.NeededBytes, e.FreeBytes));
        Assert.Contains("could not allocate 60 MiB of memory (cuMemAllocAsync failed with CUDA_ERROR_OUT_OF_MEMORY (2)). The engine uses "
            + "16 MiB of 64 MiB; 48 MiB are free.", message, StringComparison.Ordinal);
        Assert.Contains("Offloading, tiled decoding,", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WrongPtx_ReportsTheDriversMessage()
    {
        using var device = Open(StubCuda.Api, 0, new HandWrittenOp.Artifacts { Code = "mistake" });
        Assert.Contains("line 1: this is a mistake", Assert.Throws<DeviceException>(() => device.Function(HandWrittenOp.Source)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Function_CachedBinary_IsLoadedWithoutTheDriversCompiler()
    {
        var artifacts = new HandWrittenOp.Artifacts();
        using (var first = Open(StubCuda.Api, 0, artifacts)) first.Function(HandWrittenOp.Source);
        Assert.NotNull(artifacts.Binary);
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using var second = Open(api, 0, artifacts);
        second.Function(HandWrittenOp.Source);
        Assert.DoesNotContain("LinkCreate", spy.Calls);
    }

    [Fact]
    public void Function_MuchSharedMemory_IsRequestedUpToTheLimit()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using var device = Open(api, 0);
        device.Function(HandWrittenOp.Source with { DynamicSharedBytes = 100 << 10 });
        Assert.Contains("FuncSetAttribute", spy.Calls);
        Assert.Contains("a group may have 232448",
            Assert.Throws<DeviceException>(() => device.Function(HandWrittenOp.Source with { DynamicSharedBytes = 300 << 10 })).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Timing_OfTwoPortions_IsMeasuredByTheDevice()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        using (var device = Open(api, 0))
        using (var timing = device.StartTiming())
        {
            timing.Mark();
            timing.Mark();
            Assert.Equal([0.0015, 0.0015], timing.Read().Select(seconds => Math.Round(seconds, 6))); // for any two events
        }

        Assert.Empty(spy.Live);
    }

    [Fact]
    public void KernelTimer_OnCuda_MeasuresTheDevicesTime()
    {
        using var device = Open(StubCuda.Api, 0);
        var signature = new OpSignature(new HandWrittenOp(1, 1), [new TensorType(DType.Float32, [3, 4])],
            new TensorType(DType.Float32, [3, 4]));
        using var timer = new KernelTimer(device, signature, []);
        // 1.5 ms for the two launches that reach the least time of a timing
        Assert.Equal(0.00075, timer.Time(device.Kernels.Choose(signature)), 6);
    }

    private static CudaDevice Open(ICuda api, int ordinal, IArtifactSource? artifacts = null) =>
        new(api, CudaInfo.All(api)[ordinal], artifacts ?? new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes);
}
