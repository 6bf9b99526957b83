namespace ILGpuDiffusion.Compute;

/// <summary>The devices of this machine.</summary>
public static class DeviceCatalog
{
    /// <summary>Opens a device by its id.</summary>
    /// <param name="id"><c>cpu</c>, or <c>auto</c> for the best device there is. The result's <see cref="Device.Id"/> says which was taken.</param>
    /// <param name="threads">Worker threads of a CPU device; null takes ILGPUDIFFUSION_THREADS or else all processors that the process may use.</param>
    /// <exception cref="DeviceException">No such device; the message lists what there is.</exception>
    public static Device Open(string id = "auto", int? threads = null) => id.ToLowerInvariant() switch
    {
        "auto" or "cpu" => new CpuDevice(threads),
        _ => throw new DeviceException($"device: '{id}' is not available; this build runs on cpu. Use --device cpu or --device auto."),
    };
}
