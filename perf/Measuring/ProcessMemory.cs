using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Measuring;

/// <summary>The process's resident memory as Linux counts it, mapped files included.</summary>
public static class ProcessMemory
{
    /// <summary>The most that was ever resident, in bytes; 0 where the system does not tell.</summary>
    public static long PeakResidentBytes => PeakOf("self");

    /// <summary>The same of another process that still runs; 0 when it has ended.</summary>
    /// <param name="process">Its number.</param>
    public static long PeakOf(int process) => PeakOf(process.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Lets the system take back the pages of a weight that is mapped from a file: they come again when they are touched.
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
            return 0; // not Linux, or it has just ended
        }
    }
}
