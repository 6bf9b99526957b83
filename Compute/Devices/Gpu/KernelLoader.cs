namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Loads kernels before they are bound, on as many threads as there are processors: a kernel that was never compiled takes seconds, and a
/// plan needs dozens. Binding a kernel waits for it, or loads it immediately if it is still queued. Kernels that only cancelled requests
/// need are skipped; one that is being compiled is finished and kept, because drivers cannot be interrupted.
/// </summary>
/// <param name="load">Loads a kernel; failures are reported when the kernel is bound.</param>
/// <param name="leftOut">Called for kernels that were requested and are not loaded.</param>
internal sealed class KernelLoader(Action<KernelSource> load, Action<KernelSource>? leftOut = null) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<KernelSource> waiting = new();
    // tokens of the requests of a queued kernel; null once it is being loaded
    private readonly Dictionary<KernelSource, List<CancellationToken>?> begun = [];
    private readonly List<Task> workers = [];
    private int working;
    private bool disposed;

    /// <summary>Appends a kernel to the queue, unless it is queued or was loaded from it. Returns immediately.</summary>
    /// <param name="source">The kernel.</param>
    /// <param name="cancellation">Removes the kernel from the queue if all requests for it are cancelled.</param>
    /// <returns>Whether the kernel was queued.</returns>
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

    /// <summary>Loads a kernel immediately, or waits for the thread that loads it. A cancelled wait does not stop the loading.</summary>
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

    /// <summary>Starts nothing more, and waits for kernels being loaded: the device must outlive them.</summary>
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
            // The failure is reported when the kernel is bound.
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
