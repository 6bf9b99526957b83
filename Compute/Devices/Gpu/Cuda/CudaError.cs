using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Names of the driver's error codes.</summary>
internal static class CudaError
{
    /// <summary>Codes that are handled specially.</summary>
    public const int OutOfMemory = 2, NoDevice = 100, NotFound = 500;

    /// <summary>
    /// Whether the device is unusable for the rest of the process: a kernel crashed, the GPU was reset, or it had a memory error.
    /// </summary>
    public static bool IsLost(int code) => code is 46 or 214 or 700 or 702 or 708 or 709 or 710 or 714 or 715 or 716 or 717 or 718 or 719;

    /// <summary>The driver's name for a code, with the number.</summary>
    public static string Name(ICuda api, int code) =>
        api.GetErrorName(code, out nint text) == 0 && text != 0 ? $"{Marshal.PtrToStringUTF8(text)} ({code})" : $"error {code}";
}
