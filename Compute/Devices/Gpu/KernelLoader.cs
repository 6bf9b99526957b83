namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Loads kernels before they are bound, on as many threads as there are processors: what was never compiled takes seconds, and a plan needs dozens. Whoever binds a kernel first
/// waits for it, or has it loaded at once if its turn has not come. What only cancelled requests asked for is left out; a kernel at work is
/// finished all the same, because no driver can be interrupted, and kept.
/// </summary>
/// <param name="load">Loads a kernel; a failure is told to whoever binds it.</param>
/// <param name="leftOut">Told of kernels that were asked for and are not loaded.</param>
internal sealed class KernelLoader(Action<KernelSource> load, Action<KernelSource>? leftOut = null) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<KernelSource> waiting = new();
    private readonly Dictionary<KernelSource, List<CancellationToken>?> begun = []; // who asked for what waits; null once its turn has come
    private readonly List<Task> workers = [];
    private int working;
    private bool disposed;

    /// <summary>Puts a kernel at the end of the queue, unless it is there or was loaded from it before. Returns at once.</summary>
    /// <param name="source">The kernel.</param>
    /// <param name="cancellation">Takes it out again while it waits, if all that asked for it were cancelled.</param>
    /// <returns>Whether it was put there.</returns>
    public bool Begin(KernelSource source, CancellationToken cancellation = default)
    {
        lock (gate)
        {
            if (disposed) return false;
            if (begun.TryGetValue(source, out var askers))
            {
                askers?.Add(cancellation);
                return false;
            }

            begun.Add(source, [cancellation]);
            waiting.Enqueue(source);
            if (working == Environment.ProcessorCount) return true;
            working++;
            Start(Work);
            return true;
        }
    }

    /// <summary>Has a kernel loaded at once, and waits for it. Whoever gives up waiting leaves it at work.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public void Await(KernelSource source, CancellationToken cancellation)
    {
        Task loading;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            loading = Start(() => Load(source));
        }

        loading.Wait(cancellation);
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

    private Task Start(Action action)
    {
        workers.RemoveAll(worker => worker.IsCompleted);
        var worker = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        workers.Add(worker);
        return worker;
    }

    private void Work()
    {
        while (Next() is { } source) Load(source);
    }

    private void Load(KernelSource source)
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

    private KernelSource? Next()
    {
        lock (gate)
        {
            while (waiting.TryDequeue(out var source))
            {
                if (!begun[source]!.All(asker => asker.IsCancellationRequested))
                {
                    begun[source] = null;
                    return source;
                }

                begun.Remove(source);
                leftOut?.Invoke(source);
            }

            working--;
            return null;
        }
    }
}
