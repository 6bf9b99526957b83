namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// The running requests of a pipeline. Disposing cancels them and waits, because weights must not be unmapped while a kernel reads them.
/// </summary>
/// <param name="owner">The pipeline's type, for messages.</param>
internal sealed class ActiveRequests(Type owner) : IDisposable
{
    private readonly CancellationTokenSource closing = new();
    private readonly object gate = new();
    private int active;
    private bool closed;

    /// <summary>Runs one request.</summary>
    /// <param name="work">The request's work; its token is cancelled by the caller or by <see cref="Dispose"/>.</param>
    /// <param name="cancellation">The caller's token.</param>
    /// <exception cref="ObjectDisposedException">The pipeline was disposed before or during the request.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public T Run<T>(Func<CancellationToken, T> work, CancellationToken cancellation)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, owner);
            active++;
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, closing.Token);
            return work(either.Token);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested(); // throws with the caller's token, so that the task is cancelled and not faulted
            if (closing.IsCancellationRequested)
                throw new ObjectDisposedException(owner.Name, "The pipeline was disposed while it was serving this request.");
            throw;
        }
        finally
        {
            lock (gate)
            {
                active--;
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>Cancels the running requests and returns when all have ended.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (!closed) closing.Cancel();
            closed = true;
            while (active > 0) Monitor.Wait(gate);
        }

        closing.Dispose();
    }
}
