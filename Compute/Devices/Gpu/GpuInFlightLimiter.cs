namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Marks in a device's queue.</summary>
/// <param name="device">Whose queue.</param>
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
        if (oldest != 0) device.WaitAndRelease(oldest); // before the new one is made: if that fails, nothing is lost
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
