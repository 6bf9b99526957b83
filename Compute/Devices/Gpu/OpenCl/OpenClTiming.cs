namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Times with the driver's profiling: meanwhile, this thread's kernels go to a separate queue that records when each starts and ends. A
/// portion is the sum of its kernels' times.
/// </summary>
internal sealed class OpenClTiming : DeviceTiming
{
    private const uint Start = 0x1282, End = 0x1283; // of CL_PROFILING_COMMAND_…
    [ThreadStatic] private static OpenClTiming? current;
    private readonly OpenClDevice device;
    private readonly OpenClTiming? outer;
    private nint queue;
    private readonly List<(nint Event, int Portion)> events = [];
    private int portions;

    public OpenClTiming(OpenClDevice device)
    {
        (this.device, outer) = (device, current);
        device.Synchronize(); // the queues are not ordered with each other
        queue = device.CreateProfilingQueue();
        current = this;
    }

    /// <summary>The current timing of this thread's kernels on a device; null if there is none.</summary>
    public static OpenClTiming? On(OpenClDevice device) => current is { } timing && timing.device == device ? timing : null;

    /// <summary>Queues a kernel.</summary>
    /// <returns>The driver's error code.</returns>
    public int Enqueue(nint kernel, uint dimensions, nint globalSizes, nint localSizes)
    {
        int error = device.Api.EnqueueTimedKernel(queue, kernel, dimensions, globalSizes, localSizes, out nint e);
        if (error == 0) events.Add((e, portions));
        return error;
    }

    /// <inheritdoc/>
    public override void Mark() => portions++;

    /// <inheritdoc/>
    public override double[] Read()
    {
        device.CheckWait(device.Api.Finish(queue), "clFinish");
        double[] seconds = new double[portions];
        foreach (var (e, portion) in events.Where(e => e.Portion < portions))
        {
            device.Check(device.Api.GetEventProfilingInfo(e, Start, out ulong start), "clGetEventProfilingInfo");
            device.Check(device.Api.GetEventProfilingInfo(e, End, out ulong end), "clGetEventProfilingInfo");
            seconds[portion] += (end - start) * 1e-9;
        }

        return seconds;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (current == this) current = outer;
        nint ended = Interlocked.Exchange(ref queue, 0);
        if (ended == 0) return;
        device.Api.Finish(ended); // later work goes to the other queue
        foreach (var (e, _) in events) device.Api.ReleaseEvent(e);
        events.Clear();
        device.Api.ReleaseCommandQueue(ended);
        base.Dispose();
    }
}
