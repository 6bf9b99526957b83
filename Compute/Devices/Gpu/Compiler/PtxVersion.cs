using System.Globalization;
using ILGPU.Runtime.Cuda;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The PTX version for an architecture.</summary>
internal static class PtxVersion
{
    /// <summary>
    /// PTX 7.8 (any driver since 2022) for at most sm_90, the newest that it supports. Drivers compile text for an older architecture on
    /// every newer GPU.
    /// </summary>
    public static (CudaArchitecture Architecture, CudaInstructionSet Instructions) Of(string architecture)
    {
        if (!architecture.StartsWith("sm_", StringComparison.Ordinal)
            || !int.TryParse(architecture.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 50)
            throw new KernelCompilationException($"architecture is '{architecture}'; PTX is written for sm_50 and later.");
        number = Math.Min(number, 90);
        return (new CudaArchitecture(number / 10, number % 10), CudaInstructionSet.ISA_78);
    }
}
