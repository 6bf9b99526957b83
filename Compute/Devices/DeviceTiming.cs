using System.Diagnostics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Times the work that the calling thread queues on a device, in portions: with the device's own clock if it has one (CUDA events, OpenCL
/// profiling), so that launch overhead and waiting do not count; else with the host's, waiting at each mark. For one thread.
/// </summary>
public abstract class DeviceTiming : IDisposable
{
    /// <summary>Ends a portion: the work queued since the last mark, or since the start.</summary>
    public abstract void Mark();

    /// <summary>Seconds of each portion so far. Waits for all of them.</summary>
    public abstract double[] Read();

    /// <summary>Ends the timing.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>Times with the host's clock.</summary>
internal sealed class HostTiming : DeviceTiming
{
    private readonly Device device;
    private readonly List<double> seconds = [];
    private long start;

    public HostTiming(Device device)
    {
        this.device = device;
        if (device.Backend != Backends.Cpu) device.Synchronize(); // CPU launches are synchronous
        start = Stopwatch.GetTimestamp();
    }

    public override void Mark()
    {
        if (device.Backend != Backends.Cpu) device.Synchronize();
        long now = Stopwatch.GetTimestamp();
        seconds.Add(Stopwatch.GetElapsedTime(start, now).TotalSeconds);
        start = now;
    }

    public override double[] Read() => [.. seconds];
}
