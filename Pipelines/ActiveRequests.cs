namespace ILGpuDiffusion.Pipelines;

/// <summary>The requests that a pipeline is serving. Closing ends them and waits: weights must not be unmapped under a running kernel.</summary>
/// <param name="owner">The pipeline's type, for messages.</param>
internal sealed class ActiveRequests(Type owner) : IDisposable
{
    private readonly CancellationTokenSource closing = new();
    private readonly object gate = new();
    private int active;
    private bool closed;

    /// <summary>Serves one request.</summary>
    /// <param name="work">Given a token that is cancelled by the caller or by closing.</param>
    /// <param name="cancellation">The caller's token.</param>
    /// <exception cref="ObjectDisposedException">The pipeline was closed before or meanwhile.</exception>
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
            cancellation.ThrowIfCancellationRequested(); // names the caller's token, so that a task counts as cancelled and not as failed
            if (closing.IsCancellationRequested) throw new ObjectDisposedException(owner.Name, "The pipeline was disposed while it was serving this request.");
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

    /// <summary>Cancels what is at work and returns when all of it has ended.</summary>
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
