using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute;

/// <summary>A task that falls into numbered parts, which may run at the same time and in any order.</summary>
internal interface IParallelTask
{
    /// <summary>Does one part.</summary>
    /// <param name="part">0 … parts − 1.</param>
    /// <param name="worker">Which thread does it, 0 … workers − 1; for scratch memory.</param>
    void Execute(int part, int worker);
}

/// <summary>
/// The CPU device's own threads. They take parts from a shared counter until none is left; the caller works too. Between tasks they
/// spin for a few microseconds, then sleep. Running a task allocates nothing; tasks of several callers run one after the other.
/// </summary>
internal sealed unsafe class CpuWorkers : IDisposable
{
    private const int SpinsBeforeSleep = 200; // about 10 µs on the machines measured: longer than the gap between two launches
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim[] wake;
    private readonly ManualResetEventSlim finished = new(false, SpinsBeforeSleep);
    private readonly nint[] scratch;
    private readonly long[] scratchBytes;
    private IParallelTask? task;
    private int parts, next, running;
    private Exception? failure;
    private bool disposed;

    public CpuWorkers(int count)
    {
        Count = count;
        (scratch, scratchBytes) = (new nint[count], new long[count]);
        wake = [.. Enumerable.Range(1, count - 1).Select(_ => new ManualResetEventSlim(false, SpinsBeforeSleep))];
        for (int i = 1; i < count; i++)
        {
            int worker = i;
            new Thread(() => Serve(worker)) { IsBackground = true, Name = $"ILGpuDiffusion cpu {worker}" }.Start();
        }
    }

    /// <summary>Threads that compute, the caller's included.</summary>
    public int Count { get; }

    /// <summary>Runs all parts and returns when they are done; rethrows the first failure.</summary>
    public void Run(IParallelTask work, int count)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (Count == 1 || count == 1)
            {
                for (int i = 0; i < count; i++) work.Execute(i, 0);
                return;
            }

            (task, parts, next, running, failure) = (work, count, 0, Count - 1, null);
            foreach (var signal in wake) signal.Set();
            TakeParts(0);
            finished.Wait();
            finished.Reset();
            task = null;
            if (failure is { } e) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
        }
    }

    /// <summary>Makes sure that every worker has at least this much scratch memory. Called when launches are bound, never while they run.</summary>
    public void Reserve(long bytes)
    {
        lock (gate)
        {
            for (int i = 0; i < Count; i++)
            {
                if (scratchBytes[i] >= bytes) continue;
                if (scratch[i] != 0) NativeMemory.AlignedFree((void*)scratch[i]);
                (scratch[i], scratchBytes[i]) = ((nint)NativeMemory.AlignedAlloc((nuint)bytes, 64), bytes);
            }
        }
    }

    /// <summary>A worker's scratch memory, aligned to 64 bytes, as large as the largest reservation.</summary>
    public T* Scratch<T>(int worker) where T : unmanaged => (T*)scratch[worker];

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            foreach (var signal in wake) signal.Set();
            foreach (nint memory in scratch) NativeMemory.AlignedFree((void*)memory);
        }
    }

    private void Serve(int worker)
    {
        var signal = wake[worker - 1];
        while (true)
        {
            signal.Wait();
            signal.Reset();
            if (disposed) return;
            TakeParts(worker);
            if (Interlocked.Decrement(ref running) == 0) finished.Set();
        }
    }

    private void TakeParts(int worker)
    {
        try
        {
            int part;
            while ((part = Interlocked.Increment(ref next) - 1) < parts) task!.Execute(part, worker);
        }
        catch (Exception e) // any failure must reach the caller, not end the process from a worker thread
        {
            Interlocked.CompareExchange(ref failure, e, null);
            Volatile.Write(ref next, parts);
        }
    }
}
