namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Limits the work in flight with marks in a device's queue.</summary>
/// <param name="device">The queue.</param>
/// <param name="ahead">Portions that may be unfinished.</param>
internal sealed class GpuInFlightLimiter(IDeviceQueue device, int ahead) : InFlightLimiter
{
    private readonly nint[] marks = new nint[ahead];
    private int next;

    /// <inheritdoc/>
    public override void Step()
    {
        nint oldest = marks[next];
        marks[next] = 0;
        if (oldest != 0) device.WaitAndRelease(oldest); // before the new mark is created: if that fails, no mark leaks
        marks[next] = device.Mark();
        next = (next + 1) % marks.Length;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        for (int i = 0; i < marks.Length; i++)
        {
            if (marks[i] != 0) device.ReleaseMark(marks[i]);
            marks[i] = 0;
        }

        base.Dispose();
    }
}
