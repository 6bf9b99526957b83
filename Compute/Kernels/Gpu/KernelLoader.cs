namespace ILGpuDiffusion.Compute;

/// <summary>
/// Loads kernels before they are bound, on as many threads as there are processors: what was never compiled takes seconds, and a plan needs dozens. Whoever binds a kernel first
/// waits for it, or loads it himself if its turn has not come.
/// </summary>
/// <param name="load">Loads a kernel; a failure is told to whoever binds it.</param>
internal sealed class KernelLoader(Action<KernelSource> load) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<KernelSource> waiting = new();
    private readonly HashSet<KernelSource> begun = [];
    private readonly List<Task> workers = [];
    private int working;
    private bool disposed;

    /// <summary>Puts a kernel at the end of the queue, once in a device's life. Returns at once.</summary>
    public void Begin(KernelSource source)
    {
        lock (gate)
        {
            if (disposed || !begun.Add(source)) return;
            waiting.Enqueue(source);
            if (working == Environment.ProcessorCount) return;
            working++;
            workers.RemoveAll(worker => worker.IsCompleted);
            workers.Add(Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }
    }

    /// <summary>Begins no more, and waits for what is at work: a device must not go away under it.</summary>
    public void Dispose()
    {
        Task[] last;
        lock (gate)
        {
            disposed = true;
            waiting.Clear();
            last = [.. workers];
        }

        Task.WaitAll(last);
    }

    private void Work()
    {
        while (Next() is { } source)
        {
            try
            {
                load(source);
            }
            catch (Exception)
            {
                // Whoever binds it is told.
            }
        }
    }

    private KernelSource? Next()
    {
        lock (gate)
        {
            if (waiting.TryDequeue(out var source)) return source;
            working--;
            return null;
        }
    }
}
