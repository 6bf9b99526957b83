namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Keeps the host from queueing far ahead of a device, so that progress is reported truthfully and a cancelled run ends soon. The device
/// always has work left while the host waits, and nothing is read back: this is not a host synchronisation. Does nothing on a CPU, whose
/// launches are synchronous.
/// </summary>
public class InFlightLimiter : IDisposable
{
    internal InFlightLimiter() { }

    /// <summary>Marks the end of one portion of queued work, such as a denoising step, and waits for an earlier portion.</summary>
    public virtual void Step() { }

    /// <summary>Releases the outstanding marks without waiting.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
