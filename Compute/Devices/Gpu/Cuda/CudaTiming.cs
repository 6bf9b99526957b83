namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Times with events in the stream: a portion ends when the GPU reaches its mark. Host time for queueing short kernels counts only if the
/// GPU has to wait for it.
/// </summary>
internal sealed class CudaTiming : DeviceTiming
{
    private readonly CudaDevice device;
    private readonly List<nint> events = [];

    public CudaTiming(CudaDevice device)
    {
        this.device = device;
        Mark();
    }

    /// <inheritdoc/>
    public override void Mark() => events.Add(device.Event());

    /// <inheritdoc/>
    public override double[] Read()
    {
        device.Await(events[^1]);
        return [.. events.Zip(events.Skip(1), device.Seconds)];
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (nint e in events) device.DestroyEvent(e);
        events.Clear();
        base.Dispose();
    }
}
