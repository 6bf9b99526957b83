using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A task of numbered parts, which may run concurrently and in any order.</summary>
internal interface IParallelTask
{
    /// <summary>Runs one part.</summary>
    /// <param name="part">0 … parts − 1.</param>
    /// <param name="worker">Index of the executing thread, 0 … workers − 1; for scratch memory.</param>
    void Execute(int part, int worker);
}

/// <summary>
/// The CPU device's thread pool. Threads take parts until none is left; the caller works too, and waits only for threads that took a part.
/// Between tasks they spin for a while, then sleep. Running a task does not allocate; tasks of several callers run one after the other.
/// </summary>
internal sealed unsafe class CpuWorkers : IDisposable
{
    private const int Closed = 1 << 30; // added to the number of workers in the task once no more may join
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim[] wake;
    private readonly ManualResetEventSlim finished = new(false, spinCount: 0);
    private readonly PartRange[] ranges;
    private readonly nint[] scratch;
    private readonly long[] scratchBytes;
    private IParallelTask? task;
    private int joined = Closed;
    private Exception? failure;
    private bool disposed;

    public CpuWorkers(int count)
    {
        Count = count;
        (scratch, scratchBytes, ranges) = (new nint[count], new long[count], new PartRange[count]);
        wake = [.. Enumerable.Range(1, count - 1).Select(_ => new ManualResetEventSlim(false, spinCount: 0))];
        finished.Wait(millisecondsTimeout: 1); // the event allocates its lock on the first wait; do that here and not in a task
        for (int i = 1; i < count; i++)
        {
            int worker = i;
            new Thread(() => Serve(worker)) { IsBackground = true, Name = $"ILGpuDiffusion cpu {worker}" }.Start();
        }
    }

    /// <summary>Number of compute threads, including the caller's.</summary>
    public int Count { get; }

    /// <summary>Runs all parts and returns when they are done; rethrows the first exception.</summary>
    /// <param name="work">The task.</param>
    /// <param name="count">Number of parts.</param>
    /// <param name="inRanges">
    /// Whether each worker starts with parts of its own, the same ones in every task with as many parts, and then helps the others: data
    /// that one task leaves in a worker's cache is there for the next. Otherwise parts are taken in ascending order, and consecutive parts
    /// run at about the same time.
    /// </param>
    public void Run(IParallelTask work, int count, bool inRanges = false)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (Count == 1 || count == 1)
            {
                for (int i = 0; i < count; i++) work.Execute(i, 0);
                return;
            }

            int split = inRanges ? Count : 1;
            for (int i = 0; i < Count; i++)
                (ranges[i].Next, ranges[i].End) = i < split ? ((int)((long)count * i / split), (int)((long)count * (i + 1) / split))
                    : (0, 0);
            (task, failure) = (work, null);
            Volatile.Write(ref joined, 0);
            for (int i = 0; i < Math.Min(wake.Length, count - 1); i++) wake[i].Set();
            TakeParts(0);
            if (Interlocked.Or(ref joined, Closed) > 0)
            {
                SpinThenSleep.Until(finished);
                finished.Reset();
            }

            task = null;
            if (failure is { } e) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
        }
    }

    /// <summary>Ensures at least this much scratch memory per worker. Called when launches are bound, never while they run.</summary>
    /// <exception cref="DeviceException">Out of memory. Every worker keeps its scratch memory, so that launches bound before can still
    /// run.</exception>
    public void Reserve(long bytes)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            for (int i = 0; i < Count; i++)
            {
                if (scratchBytes[i] >= bytes) continue;
                nint larger = Allocate(bytes); // before the old memory is freed: if this fails, the field still points to valid memory
                NativeMemory.AlignedFree((void*)scratch[i]);
                (scratch[i], scratchBytes[i]) = (larger, bytes);
            }
        }
    }

    /// <summary>A worker's scratch memory, aligned to 64 bytes, of the size of the largest reservation.</summary>
    public T* Scratch<T>(int worker) where T : unmanaged => (T*)scratch[worker];

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            foreach (var signal in wake) signal.Set();
            foreach (nint memory in scratch) NativeMemory.AlignedFree((void*)memory);
            Array.Clear(scratch);
        }
    }

    private static nint Allocate(long bytes)
    {
        try
        {
            return (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        }
        catch (OutOfMemoryException e)
        {
            throw new DeviceException($"cpu: could not allocate {bytes / 1048576.0:F0} MiB of scratch memory for a worker thread.", e);
        }
    }

    private void Serve(int worker)
    {
        var signal = wake[worker - 1];
        while (true)
        {
            SpinThenSleep.Until(signal);
            signal.Reset();
            if (disposed) return;
            if (!Join()) continue; // the task was finished before this thread ran
            TakeParts(worker);
            if (Interlocked.Decrement(ref joined) == Closed) finished.Set();
        }
    }

    private bool Join()
    {
        int seen = Volatile.Read(ref joined);
        while (seen < Closed)
        {
            int before = Interlocked.CompareExchange(ref joined, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }

        return false;
    }

    private void TakeParts(int worker)
    {
        try
        {
            for (int i = 0; i < Count; i++)
            {
                ref var range = ref ranges[(worker + i) % Count];
                while (Volatile.Read(ref range.Next) < range.End)
                {
                    int part = Interlocked.Increment(ref range.Next) - 1;
                    if (part < range.End) task!.Execute(part, worker);
                }
            }
        }
        catch (Exception e) // any exception is rethrown to the caller instead of ending the process
        {
            Interlocked.CompareExchange(ref failure, e, null);
            for (int i = 0; i < Count; i++) Volatile.Write(ref ranges[i].Next, ranges[i].End);
        }
    }

    /// <summary>Parts Next … End − 1 are not yet taken. Padded to two cache lines against false sharing.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct PartRange
    {
        public int Next, End;
    }
}
