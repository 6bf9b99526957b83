using System.Collections.Concurrent;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Kernels that are loaded before they are bound.</summary>
public sealed class KernelLoaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Begun_KernelsLoadBesideEachOther_OncePerKernel()
    {
        if (Environment.ProcessorCount < 2) Assert.Skip("One processor loads one kernel at a time.");
        using var together = new Barrier(2);
        var loaded = new ConcurrentQueue<KernelSource>();
        using (var loader = new KernelLoader(source =>
        {
            loaded.Enqueue(source);
            Assert.True(together.SignalAndWait(Patience)); // returns only when two are here
        }))
        {
            for (int i = 0; i < 4; i++) loader.Begin(Source(i % 2));
            Assert.True(SpinWait.SpinUntil(() => together.CurrentPhaseNumber == 1, Patience));
        }

        Assert.Equal(2, loaded.Distinct().Count());
        Assert.Equal(2, loaded.Count);
    }

    [Fact]
    public async Task Dispose_WaitsForWhatIsAtWork_AndBeginsNoMore()
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
    public void Failure_InTheBackground_IsToldToWhoeverBinds()
    {
        using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), new Failing());
        device.Begin(Source(1));
        for (int i = 0; i < 2; i++) Assert.Equal("no such kernel", Assert.Throws<InvalidOperationException>(() => device.Function(Source(1))).Message);
    }

    [Fact]
    public void CompilingForLong_IsSaid()
    {
        using var may = new ManualResetEventSlim();
        var notices = new ConcurrentQueue<string>();
        void Note(string text)
        {
            if (text.Contains("cuda:9", StringComparison.Ordinal)) notices.Enqueue(text);
        }

        Notices.Information += Note;
        try
        {
            using var device = new TranslatingDevice(GpuTarget.Cuda(9, 0), new Slow(may));
            for (int i = 0; i < 3; i++) device.Begin(Source(i));
            Assert.True(SpinWait.SpinUntil(() => !notices.IsEmpty, Patience));
            may.Set();
            for (int i = 0; i < 3; i++) Assert.NotNull(device.Function(Source(i)));
            Assert.Equal("compiling 3 kernels for cuda:9 (translator) (first time only)", notices.First());
            Assert.True(SpinWait.SpinUntil(() => notices.Last().StartsWith("compiled 3 kernels for cuda:9 in ", StringComparison.Ordinal), Patience));
        }
        finally
        {
            Notices.Information -= Note;
        }
    }

    private static KernelSource Source(int number) => HandWrittenOp.Source with { GroupSize = 64 + number };

    private sealed class Failing : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) => throw new InvalidOperationException("no such kernel");

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }

    private sealed class Slow(ManualResetEventSlim may) : IArtifactSource
    {
        public bool Has(KernelSource source, GpuTarget target) => false;

        public KernelArtifact Get(KernelSource source, GpuTarget target)
        {
            may.Wait(Patience);
            return new HandWrittenOp.Artifacts().Get(source, target);
        }

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
