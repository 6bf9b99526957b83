namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Keeps the host from queueing far ahead of a device, so that progress is honest and a cancelled run ends soon. The device always has work left when the host
/// waits, and nothing is read back: this is no host synchronisation. On a CPU, which works when it is called, there is nothing to wait for.
/// </summary>
public class InFlightLimiter : IDisposable
{
    internal InFlightLimiter() { }

    /// <summary>Notes the end of one portion of queued work, such as a denoising step, and waits for the one that was queued some portions ago.</summary>
    public virtual void Step() { }

    /// <summary>Waits for nothing more.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
