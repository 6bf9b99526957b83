using System.Runtime.InteropServices;
using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// PoCL, the OpenCL driver for CPUs, compiles a kernel again for each grid shape, and again for a binary to be cached. With specialisation
/// disabled it compiles once, and the next process finds everything in the binary. A value that the user has set is kept.
/// </summary>
internal static unsafe class PoclSettings
{
    private const string Variable = "POCL_WORK_GROUP_SPECIALIZATION";

    /// <summary>
    /// Sets the variable in the C library's environment, which the driver reads and .NET's own functions do not change. Call before the
    /// driver is loaded.
    /// </summary>
    public static void Apply()
    {
        if (OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable(Variable) is not null) return;
        if (!NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "setenv", out nint address)) return;
        fixed (byte* name = Encoding.UTF8.GetBytes(Variable + '\0'))
        fixed (byte* value = "0\0"u8) ((delegate* unmanaged<byte*, byte*, int, int>)address)(name, value, 0);
    }
}
