using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// Tensors whose stored type no kernel reads, converted: 8-bit floats to Float16, which represents all their values exactly, and F64
/// rounded to Float32. Each is converted on first use and kept in memory.
/// </summary>
internal sealed unsafe class WidenedTensors : IDisposable
{
    private const int PieceElements = 1 << 20;
    private static readonly ushort[] E4M3 = Table(EightBitFloats.E4M3), E5M2 = Table(EightBitFloats.E5M2);
    private readonly Dictionary<string, nint> made = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>The type that a stored type is converted to; null if it is not converted.</summary>
    public static DType? TypeOf(string storedType) => storedType switch
    {
        "F8_E4M3" or "F8_E5M2" => DType.Float16,
        "F64" => DType.Float32,
        _ => null,
    };

    /// <summary>The address of a tensor's converted elements.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="source">Its first byte.</param>
    /// <exception cref="DeviceException">Out of memory.</exception>
    public nint Get(SafetensorsEntry entry, byte* source)
    {
        lock (gate)
        {
            if (made.TryGetValue(entry.Name, out nint found)) return found;
            long count = entry.Shape.Count;
            nint target = Allocate(count * TypeOf(entry.StoredType)!.Value.Size(), entry);
            made.Add(entry.Name, target);
            Parallel.For(0, (count + PieceElements - 1) / PieceElements, piece =>
            {
                long first = piece * PieceElements, end = Math.Min(first + PieceElements, count);
                if (entry.StoredType == "F64")
                {
                    for (long i = first; i < end; i++)
                        ((float*)target)[i] = (float)BitConverter.Int64BitsToDouble(
                            MemoryMarshal.Read<long>(new ReadOnlySpan<byte>(source + 8 * i, 8)));
                }
                else
                {
                    ushort[] table = entry.StoredType == "F8_E4M3" ? E4M3 : E5M2;
                    for (long i = first; i < end; i++) ((ushort*)target)[i] = table[source[i]];
                }
            });
            return target;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (nint memory in made.Values) NativeMemory.AlignedFree((void*)memory);
            made.Clear();
        }
    }

    private static ushort[] Table(Func<byte, float> value) =>
        [.. Enumerable.Range(0, 256).Select(code => BitConverter.HalfToUInt16Bits((Half)value((byte)code)))];

    private static nint Allocate(long bytes, SafetensorsEntry entry)
    {
        const int Alignment = 64;
        try
        {
            return (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes), Alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new DeviceException(
                $"cpu: could not allocate {bytes / 1048576.0:F0} MiB of memory for tensor {Text.Quote(entry.Name)}, which is stored as "
                    + $"{entry.StoredType}.", e);
        }
    }
}
