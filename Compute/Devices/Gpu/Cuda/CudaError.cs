using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The driver's error codes as words.</summary>
internal static class CudaError
{
    /// <summary>Codes with a meaning of their own here.</summary>
    public const int OutOfMemory = 2, NoDevice = 100, NotFound = 500;

    /// <summary>Whether nothing works any more on this device in this process: a kernel crashed, the card was reset, or an error in its memory was found.</summary>
    public static bool IsLost(int code) => code is 46 or 214 or 700 or 702 or 708 or 709 or 710 or 714 or 715 or 716 or 717 or 718 or 719;

    /// <summary>The driver's name for a code, with the number.</summary>
    public static string Name(ICuda api, int code) =>
        api.GetErrorName(code, out nint text) == 0 && text != 0 ? $"{Marshal.PtrToStringUTF8(text)} ({code})" : $"error {code}";
}
