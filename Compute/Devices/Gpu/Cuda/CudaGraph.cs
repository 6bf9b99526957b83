namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Records launches as a CUDA graph, which the driver then replays with one call.</summary>
internal static class CudaGraph
{
    private const int ThreadLocal = 1; // other threads may allocate meanwhile
    private const uint NonBlocking = 1;

    /// <summary>Records on a separate stream, so that work queued by other threads meanwhile is not recorded.</summary>
    /// <param name="device">The device.</param>
    /// <param name="launches">The launches, in order.</param>
    /// <param name="previous">An executable graph to update instead of creating a new one; 0 for none. Ownership passes here: it is reused
    /// or freed.</param>
    /// <returns>The executable graph.</returns>
    public static nint Record(CudaDevice device, IReadOnlyList<Launch> launches, nint previous)
    {
        var api = device.Api;
        nint graph = 0;
        try
        {
            graph = Capture(device, launches);
            if (previous != 0)
            {
                if (api.GraphExecUpdate(previous, graph) == 0)
                {
                    nint updated = previous;
                    previous = 0;
                    return updated;
                }
            }

            device.Check(api.GraphInstantiate(graph, out nint executable), "cuGraphInstantiate", $"{launches.Count} launches");
            return executable;
        }
        finally
        {
            if (graph != 0) api.GraphDestroy(graph);
            if (previous != 0) api.GraphExecDestroy(previous);
        }
    }

    private static nint Capture(CudaDevice device, IReadOnlyList<Launch> launches)
    {
        var api = device.Api;
        device.Check(api.StreamCreate(NonBlocking, out nint stream), "cuStreamCreate");
        try
        {
            device.Check(api.StreamBeginCapture(stream, ThreadLocal), "cuStreamBeginCapture");
            try
            {
                CudaDevice.RecordTo(stream);
                foreach (var launch in launches) launch.Run();
            }
            catch
            {
                api.StreamEndCapture(stream, out nint partial); // a stream cannot be destroyed while it captures
                if (partial != 0) api.GraphDestroy(partial);
                throw;
            }
            finally
            {
                CudaDevice.RecordTo(0);
            }

            device.Check(api.StreamEndCapture(stream, out nint graph), "cuStreamEndCapture", $"{launches.Count} launches");
            return graph;
        }
        finally
        {
            api.StreamDestroy(stream);
        }
    }
}

/// <summary>A recorded graph.</summary>
internal sealed class CudaGraphLaunch(CudaDevice device, nint executable, int count, string first, string last) : Launch
{
    private nint executable = executable;

    /// <summary>Frees the graph of an abandoned plan.</summary>
    ~CudaGraphLaunch() => device.ReleaseGraph(executable);

    /// <inheritdoc/>
    public override void Run()
    {
        device.Enter();
        int error = device.Api.GraphLaunch(executable, device.Stream);
        if (error != 0) device.Check(error, "cuGraphLaunch", ToString());
        device.Last = this;
        GC.KeepAlive(this); // the finalizer must not run under the call
    }

    /// <inheritdoc/>
    public override string ToString() => $"a recorded run of {count} launches, from {first} to {last}";

    /// <summary>Releases the graph so that it can be updated; this launch must not run again.</summary>
    public nint Take()
    {
        nint taken = Interlocked.Exchange(ref executable, 0);
        return taken != 0 && device.Forget(taken) ? taken : 0;
    }
}
