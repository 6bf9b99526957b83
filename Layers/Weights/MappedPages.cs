using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Tells the system about memory that a file is mapped into.</summary>
internal static partial class MappedPages
{
    private const int DontNeed = 4; // MADV_DONTNEED on Linux and macOS

    /// <summary>
    /// Gives the whole pages of a range back. They are read from the file again when somebody touches them, so it changes nothing but the process's memory.
    /// The range must belong to a read-only mapping of a file. Does nothing where the system has no such call.
    /// </summary>
    public static void Release(nint start, long bytes)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        nint page = Environment.SystemPageSize, first = (start + page - 1) / page * page, end = (start + (nint)bytes) / page * page;
        if (end > first) _ = Advise(first, (nuint)(end - first), DontNeed); // advice: a refusal costs memory only
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
