using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

public sealed class CpuWorkersTests
{
    [Theory]
    [InlineData(1, false), InlineData(2, false), InlineData(3, false), InlineData(2, true), InlineData(3, true)]
    public void Run_AnyNumberOfParts_ExecutesEachOnce(int threads, bool inRanges)
    {
        using var workers = new CpuWorkers(threads);
        foreach (int parts in (int[])[0, 1, 2, 3, 5, 100])
        {
            for (int round = 0; round < 20; round++)
            {
                var task = new Counting(parts, threads);
                workers.Run(task, parts, inRanges);
                Assert.All(task.Executed, times => Assert.Equal(1, times));
            }
        }
    }

    [Fact]
    public void Run_APartFails_RethrowsAndServesOn()
    {
        using var workers = new CpuWorkers(2);
        var failure = Assert.Throws<InvalidOperationException>(() => workers.Run(new Failing(), 10, inRanges: true));
        Assert.Equal("part 7", failure.Message);
        var task = new Counting(10, 2);
        workers.Run(task, 10);
        Assert.All(task.Executed, times => Assert.Equal(1, times));
    }

    [Fact]
    public void Run_OfSeveralCallers_RunsEveryTask()
    {
        using var workers = new CpuWorkers(2);
        var tasks = Enumerable.Range(0, 50).Select(_ => new Counting(4, 2)).ToArray();
        Parallel.ForEach(tasks, task => workers.Run(task, 4, inRanges: true));
        Assert.All(tasks, task => Assert.Equal([1, 1, 1, 1], task.Executed));
    }

    [Fact]
    public unsafe void Reserve_MemoryIsShort_KeepsWhatThereWas()
    {
        using var workers = new CpuWorkers(2);
        workers.Reserve(64);
        nint[] before = [(nint)workers.Scratch<byte>(0), (nint)workers.Scratch<byte>(1)];
        var failure = Assert.Throws<DeviceException>(() => workers.Reserve(1L << 60));
        Assert.Contains("scratch memory", failure.Message, StringComparison.Ordinal);
        // not freed, so that other allocations of this size do not get it
        Assert.Equal<IEnumerable<nint>>(before, [(nint)workers.Scratch<byte>(0), (nint)workers.Scratch<byte>(1)]);
        nint[] others = [.. Enumerable.Range(0, 100).Select(_ => (nint)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(64, 64))];
        foreach (nint other in others) System.Runtime.InteropServices.NativeMemory.AlignedFree((void*)other);
        Assert.DoesNotContain(others, before.Contains);
        workers.Reserve(128);
        new Span<byte>(workers.Scratch<byte>(1), 128).Fill(1);
    }

    [Fact]
    public unsafe void Reserve_AfterDispose_IsRefused()
    {
        var workers = new CpuWorkers(2);
        workers.Reserve(64);
        workers.Dispose();
        Assert.True(workers.Scratch<byte>(0) is null);
        Assert.Throws<ObjectDisposedException>(() => workers.Reserve(128));
    }

    private sealed class Counting(int parts, int threads) : IParallelTask
    {
        public int[] Executed { get; } = new int[parts];

        public void Execute(int part, int worker)
        {
            Assert.InRange(worker, 0, threads - 1);
            Interlocked.Increment(ref Executed[part]);
        }
    }

    private sealed class Failing : IParallelTask
    {
        public void Execute(int part, int worker)
        {
            if (part == 7) throw new InvalidOperationException("part 7");
        }
    }
}
