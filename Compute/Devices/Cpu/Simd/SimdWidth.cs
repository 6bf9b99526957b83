using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The width of registers that kernels are bound for.</summary>
internal static class SimdWidth
{
    /// <summary>Bits of the widest registers that are fast on this processor: 512, 256 or 128. A constant for the JIT.</summary>
    public static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
}
