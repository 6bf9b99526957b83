using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Memory advice for mapped files.</summary>
internal static partial class MappedPages
{
    private const int DontNeed = 4; // MADV_DONTNEED on Linux and macOS

    /// <summary>
    /// Releases the whole pages of a range. They are read from the file again when accessed, so only the process's memory use changes. The
    /// range must belong to a read-only mapping of a file. Does nothing if the system has no such call.
    /// </summary>
    public static void Release(nint start, long bytes)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        nint page = Environment.SystemPageSize, first = (start + page - 1) / page * page, end = (start + (nint)bytes) / page * page;
        if (end > first) _ = Advise(first, (nuint)(end - first), DontNeed); // advisory: failure only costs memory
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
