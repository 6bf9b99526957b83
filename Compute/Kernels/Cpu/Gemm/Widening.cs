using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>Registers of short numbers widened exactly. .NET 10 offers no instruction for binary16, so 16-bit floats go by integer operations.</summary>
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

    // Exponent and fraction move to float32's place, then the exponents' different biases are made equal by adding an integer: 112 steps of
    // 2²³, and as many again where the exponent is the largest, which stands for infinity and NaN. A subnormal number has no hidden bit:
    // it is given one (the exponent of 2⁻¹⁴), which a subtraction takes away again, exactly.
    private const uint Magnitude = 0x7FFF, Sign = 0x8000, LargestExponent = 0x7C00u << 13, Rebias = 112u << 23, OneExponent = 1u << 23, Smallest = 113u << 23;

    [MethodImpl(Inline)]
    public static V Float16<V>(ushort* source) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512))
        {
            var bits = Bits512(source);
            var magnitude = (bits & Vector512.Create(Magnitude)) << 13;
            var exponent = magnitude & Vector512.Create(LargestExponent);
            var normal = magnitude + Vector512.Create(Rebias) + (Vector512.Equals(exponent, Vector512.Create(LargestExponent)) & Vector512.Create(Rebias));
            var subnormal = (magnitude + Vector512.Create(Rebias + OneExponent)).AsSingle() - Vector512.Create(Smallest).AsSingle();
            var value = Vector512.ConditionalSelect(Vector512.Equals(exponent, Vector512<uint>.Zero), subnormal.AsUInt32(), normal);
            return Unsafe.BitCast<Simd512, V>(new((value | ((bits & Vector512.Create(Sign)) << 16)).AsSingle()));
        }
        else if (typeof(V) == typeof(Simd256))
        {
            var bits = Bits256(source);
            var magnitude = (bits & Vector256.Create(Magnitude)) << 13;
            var exponent = magnitude & Vector256.Create(LargestExponent);
            var normal = magnitude + Vector256.Create(Rebias) + (Vector256.Equals(exponent, Vector256.Create(LargestExponent)) & Vector256.Create(Rebias));
            var subnormal = (magnitude + Vector256.Create(Rebias + OneExponent)).AsSingle() - Vector256.Create(Smallest).AsSingle();
            var value = Vector256.ConditionalSelect(Vector256.Equals(exponent, Vector256<uint>.Zero), subnormal.AsUInt32(), normal);
            return Unsafe.BitCast<Simd256, V>(new((value | ((bits & Vector256.Create(Sign)) << 16)).AsSingle()));
        }
        else
        {
            var bits = Bits128(source);
            var magnitude = (bits & Vector128.Create(Magnitude)) << 13;
            var exponent = magnitude & Vector128.Create(LargestExponent);
            var normal = magnitude + Vector128.Create(Rebias) + (Vector128.Equals(exponent, Vector128.Create(LargestExponent)) & Vector128.Create(Rebias));
            var subnormal = (magnitude + Vector128.Create(Rebias + OneExponent)).AsSingle() - Vector128.Create(Smallest).AsSingle();
            var value = Vector128.ConditionalSelect(Vector128.Equals(exponent, Vector128<uint>.Zero), subnormal.AsUInt32(), normal);
            return Unsafe.BitCast<Simd128, V>(new((value | ((bits & Vector128.Create(Sign)) << 16)).AsSingle()));
        }
    }

    /// <summary>Twice as many int8 as there are lanes, as int16.</summary>
    [MethodImpl(Inline)]
    public static V Int8Pair<V>(sbyte* source) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512)) return Unsafe.BitCast<Simd512, V>(new(Avx512BW.ConvertToVector512Int16(Vector256.Load(source)).AsSingle()));
        if (typeof(V) == typeof(Simd256)) return Unsafe.BitCast<Simd256, V>(new(Avx2.ConvertToVector256Int16(Vector128.Load(source)).AsSingle()));
        return Unsafe.BitCast<Simd128, V>(new(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsSByte()).AsSingle()));
    }

    [MethodImpl(Inline)]
    private static Vector512<uint> Bits512(ushort* source) => Avx512F.ConvertToVector512UInt32(Vector256.Load(source));

    [MethodImpl(Inline)]
    private static Vector256<uint> Bits256(ushort* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source)).AsUInt32();

    [MethodImpl(Inline)]
    private static Vector128<uint> Bits128(ushort* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16());
}
