using System.Diagnostics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Times what the calling thread queues on a device, portion by portion: by the device's own clock where it has one (CUDA's events, OpenCL's profiling), so that neither launching nor waiting
/// counts; else by the host's, waiting at each mark. For one thread.
/// </summary>
public abstract class DeviceTiming : IDisposable
{
    /// <summary>Ends a portion: what was queued since the last mark, or since the beginning.</summary>
    public abstract void Mark();

    /// <summary>Seconds of each portion so far. Waits for all of them.</summary>
    public abstract double[] Read();

    /// <summary>Ends the timing.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>By the host's clock.</summary>
internal sealed class HostTiming : DeviceTiming
{
    private readonly Device device;
    private readonly List<double> seconds = [];
    private long start;

    public HostTiming(Device device)
    {
        this.device = device;
        if (device.Backend != Backends.Cpu) device.Synchronize(); // a processor is done when a launch returns
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
