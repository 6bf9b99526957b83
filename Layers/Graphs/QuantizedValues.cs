using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Finds values that quantised weights in a file must not hold.</summary>
internal static unsafe class QuantizedValues
{
    private const int Piece = 1 << 30; // of what a span can hold

    /// <summary>Index of the first value outside the kind's range, or −1. Floats are assumed to be finite.</summary>
    public static long FirstInvalid(Tensor weight, ParameterKind kind)
    {
        byte* start = (byte*)((HostBuffer)weight.Buffer).Address + weight.Offset;
        long count = weight.Shape.Count;
        return kind switch
        {
            ParameterKind.Int8 => FirstLowest((sbyte*)start, count),
            ParameterKind.Scale => FirstNotPositive((float*)start, count),
            _ => -1,
        };
    }

    /// <summary>The range of a kind's values, for messages.</summary>
    public static string Range(ParameterKind kind) => kind == ParameterKind.Int8 ? "within ±127" : "above 0";

    private static long FirstLowest(sbyte* values, long count)
    {
        for (long at = 0; at < count; at += Piece)
        {
            int found = new ReadOnlySpan<sbyte>(values + at, (int)Math.Min(Piece, count - at)).IndexOf(sbyte.MinValue);
            if (found >= 0) return at + found;
        }

        return -1;
    }

    private static long FirstNotPositive(float* values, long count)
    {
        for (long i = 0; i < count; i++)
            if (values[i] <= 0) return i;
        return -1;
    }
}
