using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cases;

/// <summary>Makes a CPU device's allocations fail.</summary>
public static class ShortMemory
{
    /// <summary>Lets allocations of more than so many bytes fail; null lets all succeed again.</summary>
    public static void Limit(CpuDevice device, long? bytes) => device.MemoryLimit = bytes;
}
