using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Measuring;

/// <summary>The process's resident memory on Linux, including mapped files.</summary>
public static class ProcessMemory
{
    /// <summary>Peak resident memory in bytes; 0 if the system does not report it.</summary>
    public static long PeakResidentBytes => PeakOf("self");

    /// <summary>Peak resident memory of another process; 0 if it has ended.</summary>
    /// <param name="process">Its id.</param>
    public static long PeakOf(int process) => PeakOf(process.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Allows the system to drop the pages of a weight mapped from a file; they are read again on access.
    /// </summary>
    /// <param name="weight">From a checkpoint.</param>
    public static unsafe void Forget(Tensor weight)
    {
        var bytes = weight.DType == DType.Float32 ? MemoryMarshal.AsBytes(weight.Span<float>())
            : MemoryMarshal.AsBytes(weight.Span<ushort>());
        MappedPages.Release((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)), bytes.Length);
    }

    private static long PeakOf(string process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', '\t').First(p => p.Length > 0 && char.IsAsciiDigit(p[0])),
                CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0; // not Linux, or the process has just ended
        }
    }
}
