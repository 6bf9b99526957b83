using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Measuring;

/// <summary>The process's resident memory as Linux counts it, mapped files included.</summary>
public static partial class ProcessMemory
{
    private const int PageBytes = 4096, DontNeed = 4; // MADV_DONTNEED

    /// <summary>The most that was ever resident, in bytes; 0 where the system does not tell.</summary>
    public static long PeakResidentBytes => PeakOf("self");

    /// <summary>The same of another process that still runs; 0 when it has ended.</summary>
    /// <param name="process">Its number.</param>
    public static long PeakOf(int process) => PeakOf(process.ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets the system take back the pages of a weight that is mapped from a file: they come again when they are touched.</summary>
    /// <param name="weight">From a checkpoint; anything else would lose its contents.</param>
    public static unsafe void Forget(Tensor weight)
    {
        if (!OperatingSystem.IsLinux()) return;
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(weight.DType == DType.Float32 ? MemoryMarshal.AsBytes(weight.Span<float>()) : MemoryMarshal.AsBytes(weight.Span<ushort>())));
        nint first = (address + PageBytes - 1) / PageBytes * PageBytes, end = (address + (nint)weight.Type.Bytes) / PageBytes * PageBytes;
        if (end > first) _ = Advise(first, end - first, DontNeed);
    }

    private static long PeakOf(string process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', '\t').First(p => p.Length > 0 && char.IsAsciiDigit(p[0])), CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0; // not Linux, or it has just ended
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nint length, int advice);
}
