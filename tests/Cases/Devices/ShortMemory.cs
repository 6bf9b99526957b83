using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cases;

/// <summary>Makes a CPU device's allocations fail.</summary>
public static class ShortMemory
{
    /// <summary>Makes allocations of more than this many bytes fail; null lets all succeed.</summary>
    public static void Limit(CpuDevice device, long? bytes) => device.MemoryLimit = bytes;
}
