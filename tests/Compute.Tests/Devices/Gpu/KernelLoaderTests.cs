using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Kernels that are loaded before they are bound.</summary>
public sealed class KernelLoaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Begin_ManyKernels_LoadsEachOnceAndInParallel()
    {
        if (Environment.ProcessorCount < 2) Assert.Skip("One processor loads one kernel at a time.");
        using var together = new Barrier(2);
        var loaded = new ConcurrentQueue<KernelSource>();
        using (var loader = new KernelLoader(source =>
        {
            loaded.Enqueue(source);
            Assert.True(together.SignalAndWait(Patience)); // returns only when two threads wait
        }))
        {
            for (int i = 0; i < 4; i++) loader.Begin(Source(i % 2));
            Assert.True(SpinWait.SpinUntil(() => together.CurrentPhaseNumber == 1, Patience));
        }

        Assert.Equal(2, loaded.Distinct().Count());
        Assert.Equal(2, loaded.Count);
    }

    [Fact]
    public async Task Dispose_WhileLoading_WaitsAndBeginsNoMore()
    {
        using var may = new ManualResetEventSlim();
        int begun = 0, ended = 0;
        var loader = new KernelLoader(_ =>
        {
            Interlocked.Increment(ref begun);
            may.Wait(Patience);
            Interlocked.Increment(ref ended);
        });
        for (int i = 0; i < 100; i++) loader.Begin(Source(i));
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref begun) > 0, Patience));
        var disposing = Task.Run(loader.Dispose, TestContext.Current.CancellationToken);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(disposing.IsCompleted);
        may.Set();
        await disposing.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(begun, ended);
        Assert.InRange(begun, 1, Environment.ProcessorCount);
    }

    [Fact]
    public void Bind_AfterAFailureInTheBackground_Throws()
    {
        using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), new Failing());
        device.Begin(Source(1));
        for (int i = 0; i < 2; i++)
            Assert.Equal("no such kernel", Assert.Throws<InvalidOperationException>(() => device.Function(Source(1))).Message);
    }

    [Fact]
    public void Begin_SlowCompilation_IsLogged()
    {
        using var may = new ManualResetEventSlim();
        using var log = new CollectingLoggerFactory();
        using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), new Slow(may), log);
        for (int i = 0; i < 3; i++) device.Begin(Source(i));
        Assert.True(SpinWait.SpinUntil(() => log.Information.Count > 0, Patience));
        may.Set();
        for (int i = 0; i < 3; i++) Assert.NotNull(device.Function(Source(i)));
        Assert.Equal("compiling 3 kernels for cuda:9 (translator) (first time only)", log.Information[0]);
        Assert.True(SpinWait.SpinUntil(() => log.Information[^1].StartsWith("compiled", StringComparison.Ordinal), Patience));
        Assert.Matches("^compiled 3 kernels for cuda:9 in [0-9]+\\.[0-9] s$", log.Information[^1]);
    }

    [Fact]
    public void Begin_ByCancelledRequestsOnly_IsSkippedAndCanBeRepeated()
    {
        using var may = new ManualResetEventSlim();
        using CancellationTokenSource one = new(), other = new();
        ConcurrentQueue<KernelSource> loaded = [], leftOut = [];
        int atWork = Environment.ProcessorCount;
        using (var loader = new KernelLoader(
            source =>
            {
                loaded.Enqueue(source);
                may.Wait(Patience);
            },
            leftOut.Enqueue))
        {
            for (int i = 0; i < atWork + 10; i++) Assert.True(loader.Begin(Source(i), one.Token));
            Assert.False(loader.Begin(Source(atWork + 9), other.Token));
            Assert.True(SpinWait.SpinUntil(() => loaded.Count == atWork, Patience));
            one.Cancel();
            may.Set();
            Assert.True(SpinWait.SpinUntil(() => leftOut.Count == 9 && loaded.Count == atWork + 1, Patience));
            Assert.Contains(Source(atWork + 9), loaded); // another caller still waits for it
            Assert.True(loader.Begin(Source(atWork), other.Token));
            Assert.True(SpinWait.SpinUntil(() => loaded.Count == atWork + 2, Patience));
            Assert.False(loader.Begin(Source(0), other.Token)); // was loaded
        }
    }

    [Fact]
    public async Task Function_CancelledWhileItCompiles_ReturnsAtOnceAndKeepsTheResult()
    {
        using var may = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var slow = new Slow(may);
        using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), slow);
        var waiting = Task.Run(() => device.Function(Source(1), source.Token), TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => slow.Begun == 1, Patience));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.False(may.IsSet);
        may.Set();
        Assert.NotNull(device.Function(Source(1), TestContext.Current.CancellationToken));
        Assert.Equal(1, slow.Begun);
    }

    [Fact]
    public async Task Rent_CancelledWhileKernelsCompile_FreesItsArenaAndTheNextOneWorks()
    {
        using var may = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var slow = new Slow(may);
        using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), slow);
        using (var arenas = new ArenaPool(device))
        {
            var graph = new CompiledGraph(
                Graph.Trace("one", g => g.Output("y", g.Add(new HandWrittenOp(3, 0), g.Input("x", DType.Float32, 8)))), arenas);
            var renting = Task.Run(() => graph.Rent(new Sizes(), cancellation: source.Token), TestContext.Current.CancellationToken);
            Assert.True(SpinWait.SpinUntil(() => slow.Begun > 0, Patience));
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                renting.WaitAsync(Patience, TestContext.Current.CancellationToken));
            arenas.Trim();
            Assert.Equal(0, device.AllocatedBytes);
            Assert.False(may.IsSet);
            may.Set();
            using var plan = graph.Rent(new Sizes(), cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(1, slow.Begun);
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    private static KernelSource Source(int number) => HandWrittenOp.Source with { GroupSize = 64 + number };

    private sealed class Failing : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) => throw new InvalidOperationException("no such kernel");

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }

    private sealed class Slow(ManualResetEventSlim may) : IArtifactSource
    {
        private int begun;

        public int Begun => Volatile.Read(ref begun);

        public bool Has(KernelSource source, GpuTarget target) => false;

        public KernelArtifact Get(KernelSource source, GpuTarget target)
        {
            Interlocked.Increment(ref begun);
            may.Wait(Patience);
            return new HandWrittenOp.Artifacts().Get(source, target);
        }

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
