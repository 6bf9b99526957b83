using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// The process's own memory for numbers. Large pieces begin on a huge page's border and ask the system for huge pages: one entry of the address translation cache then reaches 2 MiB
/// instead of 4 KiB, and what a kernel keeps in a cache lies there without gaps, where pages scattered over the memory push each other out.
/// </summary>
internal static unsafe partial class HostMemory
{
    /// <summary>Every piece begins at a multiple of this: one cache line, and one 512-bit vector.</summary>
    public const int Alignment = 64;

    /// <summary>A huge page of x86-64, and of Arm64 with pages of 4 KiB.</summary>
    public const int HugePage = 1 << 21;

    private const int AdviseHugePages = 14; // MADV_HUGEPAGE on Linux

    /// <summary>Memory that holds anything.</summary>
    /// <exception cref="OutOfMemoryException">Memory is short.</exception>
    public static void* Allocate(long bytes)
    {
        if (bytes < HugePage || !OperatingSystem.IsLinux()) return NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        void* memory = NativeMemory.AlignedAlloc((nuint)bytes, HugePage);
        _ = Advise((nint)memory, (nuint)(bytes & -HugePage), AdviseHugePages); // advice: a refusal costs time only
        return memory;
    }

    /// <summary>Gives memory back; null does no harm.</summary>
    public static void Free(void* memory) => NativeMemory.AlignedFree(memory);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
