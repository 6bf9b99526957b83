using System.Numerics;
using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Finds NaN and infinity in weights: values with all exponent bits set.</summary>
internal static unsafe class FiniteWeights
{
    /// <summary>Index of the first element that is NaN or infinite, or −1.</summary>
    public static long FirstOther(Tensor weights)
    {
        void* start = (byte*)((HostBuffer)weights.Buffer).Address + weights.Offset;
        long count = weights.Shape.Count;
        return weights.DType switch
        {
            DType.Float16 => FirstOther((ushort*)start, count, (ushort)0x7C00),
            DType.BFloat16 => FirstOther((ushort*)start, count, (ushort)0x7F80),
            DType.Float32 => FirstOther((uint*)start, count, 0x7F800000u),
            _ => -1,
        };
    }

    private static long FirstOther<T>(T* values, long count, T exponent) where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        long i = 0, step = 4L * Vector<T>.Count;
        for (; i + step <= count; i += step)
        {
            var found = Vector<T>.Zero;
            for (int k = 0; k < 4; k++)
                // the file format guarantees no alignment
                found |= Vector.Equals(Unsafe.ReadUnaligned<Vector<T>>(values + i + k * Vector<T>.Count) & mask, mask);
            if (found != Vector<T>.Zero) break;
        }

        for (; i < count; i++)
            if ((Unsafe.ReadUnaligned<T>(values + i) & exponent) == exponent) return i;
        return -1;
    }
}
