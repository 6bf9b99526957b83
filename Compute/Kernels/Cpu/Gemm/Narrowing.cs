using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Narrows each lane to its lowest bits, stored contiguously.</summary>
internal static unsafe class Narrowing
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static void Bytes<V>(V lanes, byte* target) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512)) Avx512F.ConvertToVector128Byte(Unsafe.BitCast<V, Simd512>(lanes).Value.AsUInt32()).Store(target);
        else if (typeof(V) == typeof(Simd256))
            Unsafe.WriteUnaligned(target, Vector128.Narrow(Words(Unsafe.BitCast<V, Simd256>(lanes)), default).AsUInt64().ToScalar());
        else Unsafe.WriteUnaligned(target, Vector128.Narrow(Words(Unsafe.BitCast<V, Simd128>(lanes)), default).AsUInt32().ToScalar());
    }

    [MethodImpl(Inline)]
    public static void Words<V>(V lanes, ushort* target) where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512))
            Avx512F.ConvertToVector256UInt16(Unsafe.BitCast<V, Simd512>(lanes).Value.AsUInt32()).Store(target);
        else if (typeof(V) == typeof(Simd256)) Words(Unsafe.BitCast<V, Simd256>(lanes)).Store(target);
        else Unsafe.WriteUnaligned(target, Words(Unsafe.BitCast<V, Simd128>(lanes)).AsUInt64().ToScalar());
    }

    [MethodImpl(Inline)]
    private static Vector128<ushort> Words(Simd256 lanes) =>
        Vector128.Narrow(lanes.Value.GetLower().AsUInt32(), lanes.Value.GetUpper().AsUInt32());

    [MethodImpl(Inline)]
    private static Vector128<ushort> Words(Simd128 lanes) => Vector128.Narrow(lanes.Value.AsUInt32(), default);
}
