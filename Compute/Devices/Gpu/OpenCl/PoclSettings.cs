using System.Runtime.InteropServices;
using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// PoCL, the OpenCL driver for processors, compiles a kernel again for each grid shape that it meets, and again for a binary that is to be kept. Told not to specialise, it compiles
/// once, and the next process finds all of it in the binary. Users who set the variable themselves are left alone.
/// </summary>
internal static unsafe class PoclSettings
{
    private const string Variable = "POCL_WORK_GROUP_SPECIALIZATION";

    /// <summary>Sets the variable where the driver will look: in the C library's environment, which .NET's own functions do not change. Before the driver is loaded.</summary>
    public static void Apply()
    {
        if (OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable(Variable) is not null) return;
        if (!NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "setenv", out nint address)) return;
        fixed (byte* name = Encoding.UTF8.GetBytes(Variable + '\0'))
        fixed (byte* value = "0\0"u8) ((delegate* unmanaged<byte*, byte*, int, int>)address)(name, value, 0);
    }
}
