using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Exact widening of 8-bit and 16-bit numbers in registers. .NET 10 has no intrinsic for binary16, so 16-bit floats are converted with
/// integer operations.
/// </summary>
internal static unsafe class Widening
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static V BFloat16<V>(ushort* source) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512)) return Unsafe.BitCast<Simd512, V>(new((Bits512(source) << 16).AsSingle()));
        if (typeof(V) == typeof(Simd256)) return Unsafe.BitCast<Simd256, V>(new((Bits256(source) << 16).AsSingle()));
        return Unsafe.BitCast<Simd128, V>(new((Bits128(source) << 16).AsSingle()));
    }

    // Exponent and fraction move to their float32 positions, with 224 added to the exponent: the largest one, of infinity and NaN, becomes
    // float32's largest. Multiplying by 2⁻¹¹² corrects all others. A subnormal number gets a hidden bit, worth 2⁻¹⁵ after that
    // multiplication: doubling it and subtracting 2⁻¹⁴ leaves the fraction, exactly.
    private const int Magnitude = 0x7FFF << 13, Raise = 224 << 23, LeastNormal = 1 << 23;
    private const float Lower = 1.92592994e-34f, TwoToMinus14 = 6.10351562e-05f;

    [MethodImpl(Inline)]
    public static V Float16<V>(ushort* source) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512)) return Float16(Unsafe.BitCast<Simd512, V>(new(Bits512(source).AsSingle())));
        if (typeof(V) == typeof(Simd256)) return Float16(Unsafe.BitCast<Simd256, V>(new(Bits256(source).AsSingle())));
        return Float16(Unsafe.BitCast<Simd128, V>(new(Bits128(source).AsSingle())));
    }

    /// <summary>The lower halves of the lanes, whose upper halves are 0.</summary>
    [MethodImpl(Inline)]
    public static V Float16<V>(V lanes) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512))
        {
            var bits = Unsafe.BitCast<V, Simd512>(lanes).Value.AsInt32();
            var magnitude = (bits << 13) & Vector512.Create(Magnitude);
            var value = (magnitude + Vector512.Create(Raise)).AsSingle() * Vector512.Create(Lower);
            var subnormal = Vector512.MultiplyAddEstimate(value, Vector512.Create(2f), Vector512.Create(-TwoToMinus14));
            value = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(LeastNormal)).AsSingle(), subnormal, value);
            return Unsafe.BitCast<Simd512, V>(new(value | (bits << 16 & Vector512.Create(int.MinValue)).AsSingle()));
        }
        else if (typeof(V) == typeof(Simd256))
        {
            var bits = Unsafe.BitCast<V, Simd256>(lanes).Value.AsInt32();
            var magnitude = (bits << 13) & Vector256.Create(Magnitude);
            var value = (magnitude + Vector256.Create(Raise)).AsSingle() * Vector256.Create(Lower);
            var subnormal = Vector256.MultiplyAddEstimate(value, Vector256.Create(2f), Vector256.Create(-TwoToMinus14));
            value = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(LeastNormal)).AsSingle(), subnormal, value);
            return Unsafe.BitCast<Simd256, V>(new(value | (bits << 16 & Vector256.Create(int.MinValue)).AsSingle()));
        }
        else
        {
            var bits = Unsafe.BitCast<V, Simd128>(lanes).Value.AsInt32();
            var magnitude = (bits << 13) & Vector128.Create(Magnitude);
            var value = (magnitude + Vector128.Create(Raise)).AsSingle() * Vector128.Create(Lower);
            var subnormal = Vector128.MultiplyAddEstimate(value, Vector128.Create(2f), Vector128.Create(-TwoToMinus14));
            value = Vector128.ConditionalSelect(Vector128.LessThan(magnitude, Vector128.Create(LeastNormal)).AsSingle(), subnormal, value);
            return Unsafe.BitCast<Simd128, V>(new(value | (bits << 16 & Vector128.Create(int.MinValue)).AsSingle()));
        }
    }

    /// <summary>As many int8 as there are lanes, as floats.</summary>
    [MethodImpl(Inline)]
    public static V Int8<V>(sbyte* source) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512))
            return Unsafe.BitCast<Simd512, V>(new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(source)))));
        if (typeof(V) == typeof(Simd256))
            return Unsafe.BitCast<Simd256, V>(new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(
                Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsSByte()))));
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsSByte());
        return Unsafe.BitCast<Simd128, V>(new(Vector128.ConvertToSingle(Vector128.WidenLower(shorts))));
    }

    /// <summary>The int8 of that index, 0 for the lowest, of each lane, as a float.</summary>
    [MethodImpl(Inline)]
    public static V Int8<V>(V lanes, int index) where V : struct, ISimd<V>
    {
        int left = 24 - 8 * index; // an arithmetic shift back extends the sign
        if (typeof(V) == typeof(Simd512))
            return Unsafe.BitCast<Simd512, V>(new(Vector512.ConvertToSingle(
                Unsafe.BitCast<V, Simd512>(lanes).Value.AsInt32() << left >> 24)));
        if (typeof(V) == typeof(Simd256))
            return Unsafe.BitCast<Simd256, V>(new(Vector256.ConvertToSingle(
                Unsafe.BitCast<V, Simd256>(lanes).Value.AsInt32() << left >> 24)));
        return Unsafe.BitCast<Simd128, V>(new(Vector128.ConvertToSingle(
            Unsafe.BitCast<V, Simd128>(lanes).Value.AsInt32() << left >> 24)));
    }

    /// <summary>The lowest two int8 of each lane, as int16.</summary>
    [MethodImpl(Inline)]
    public static V Int8Pair<V>(V lanes) where V : struct, ISimd<V>
    {
        const uint High = 0xFF00; // of 16 bits, moved so that an arithmetic shift extends the sign
        if (typeof(V) == typeof(Simd512))
        {
            var bytes = Unsafe.BitCast<V, Simd512>(lanes).Value.AsUInt32();
            return Unsafe.BitCast<Simd512, V>(
                new((((bytes << 8 & Vector512.Create(High)) | (bytes & Vector512.Create(High)) << 16).AsInt16() >> 8).AsSingle()));
        }
        else if (typeof(V) == typeof(Simd256))
        {
            var bytes = Unsafe.BitCast<V, Simd256>(lanes).Value.AsUInt32();
            return Unsafe.BitCast<Simd256, V>(
                new((((bytes << 8 & Vector256.Create(High)) | (bytes & Vector256.Create(High)) << 16).AsInt16() >> 8).AsSingle()));
        }
        else
        {
            var bytes = Unsafe.BitCast<V, Simd128>(lanes).Value.AsUInt32();
            return Unsafe.BitCast<Simd128, V>(
                new((((bytes << 8 & Vector128.Create(High)) | (bytes & Vector128.Create(High)) << 16).AsInt16() >> 8).AsSingle()));
        }
    }

    /// <summary>The sign bits of four bytes.</summary>
    public const uint SignsOfBytes = 0x80808080;

    [MethodImpl(Inline)]
    private static Vector512<uint> Bits512(ushort* source) => Avx512F.ConvertToVector512UInt32(Vector256.Load(source));

    [MethodImpl(Inline)]
    private static Vector256<uint> Bits256(ushort* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source)).AsUInt32();

    [MethodImpl(Inline)]
    private static Vector128<uint> Bits128(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16());
}
