using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Conversion between float32 and the storage types. Addresses need no alignment, because files do not guarantee any.</summary>
internal static unsafe class FloatConversion
{
    /// <summary>Widens <paramref name="count"/> elements; exact.</summary>
    public static void Widen(byte* source, DType dtype, float* target, int count)
    {
        switch (dtype)
        {
            case DType.Float32: Unsafe.CopyBlockUnaligned(target, source, (uint)count * sizeof(float)); break;
            case DType.Float16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source, count), new Span<float>(target, count));
                break;
            case DType.BFloat16: WidenBFloat16((ushort*)source, target, count); break;
            default: throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a float type.");
        }
    }

    /// <summary>Rounds <paramref name="count"/> elements to nearest, ties to even; NaN stays NaN.</summary>
    public static void Narrow(float* source, byte* target, DType dtype, int count)
    {
        switch (dtype)
        {
            case DType.Float32: Unsafe.CopyBlockUnaligned(target, source, (uint)count * sizeof(float)); break;
            case DType.Float16:
                TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(source, count), new Span<Half>(target, count));
                break;
            case DType.BFloat16: NarrowBFloat16(source, (ushort*)target, count); break;
            default: throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a float type.");
        }
    }

    [MethodImpl(Jit.Kernel)]
    private static void WidenBFloat16(ushort* source, float* target, int count)
    {
        int i = 0;
        for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(source + i));
            (low << 16).AsSingle().Store(target + i);
            (high << 16).AsSingle().Store(target + i + Vector256<float>.Count);
        }

        for (; i < count; i++) target[i] = BFloat16Bits.Widen(source[i]);
    }

    [MethodImpl(Jit.Kernel)]
    private static void NarrowBFloat16(float* source, ushort* target, int count)
    {
        int i = 0;
        for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            Vector256.Narrow(Round(Vector256.Load(source + i)), Round(Vector256.Load(source + i + Vector256<float>.Count)))
                .Store(target + i);
        for (; i < count; i++) target[i] = BFloat16Bits.Round(source[i]);
    }

    /// <summary>As <see cref="BFloat16Bits.Round"/>, result in the lower halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Round(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var upper = bits >>> 16;
        var rounded = (bits + Vector256.Create(0x7FFFu) + (upper & Vector256<uint>.One)) >>> 16;
        return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, upper | Vector256.Create(0x40u));
    }
}
