using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A storage type of weights, widened to 32-bit lanes during packing. Addresses need no alignment.</summary>
internal unsafe interface IStored
{
    /// <summary>Bytes of one element.</summary>
    static abstract int Size { get; }

    /// <summary>Widens one element.</summary>
    static abstract float Read(byte* source);

    /// <summary>Widens one element in each lane; a lane holds four bytes.</summary>
    static abstract V Widen<V>(V lanes, int index) where V : struct, ISimd<V>;
}

/// <summary>A float type, which can also be read without packing.</summary>
internal unsafe interface IStoredFloat : IStored
{
    /// <summary>Widens one register's worth of elements, exactly.</summary>
    static abstract V Load<V>(byte* source) where V : struct, ISimd<V>;
}

/// <summary>IEEE binary32, or any four bytes that are only moved.</summary>
internal readonly unsafe struct StoredFloat32 : IStoredFloat
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => V.Load((float*)source);

    public static float Read(byte* source) => Unsafe.ReadUnaligned<float>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> => lanes;
}

/// <summary>The upper half of a binary32.</summary>
internal readonly unsafe struct StoredBFloat16 : IStoredFloat
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => Widening.BFloat16<V>((ushort*)source);

    public static float Read(byte* source) => BFloat16Bits.Widen(Unsafe.ReadUnaligned<ushort>(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> =>
        index == 0 ? V.ShiftLeft(lanes, 16) : V.And(lanes, 0xFFFF0000);
}

/// <summary>IEEE binary16.</summary>
internal readonly unsafe struct StoredFloat16 : IStoredFloat
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => Widening.Float16<V>((ushort*)source);

    public static float Read(byte* source) => (float)Unsafe.ReadUnaligned<Half>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> =>
        Widening.Float16(index == 0 ? V.And(lanes, 0xFFFF) : V.ShiftRight(lanes, 16));
}

/// <summary>Int8, widened to a float.</summary>
internal readonly unsafe struct StoredInt8 : IStoredFloat
{
    public static int Size => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => Widening.Int8<V>((sbyte*)source);

    public static float Read(byte* source) => (sbyte)*source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> => Widening.Int8(lanes, index);
}

/// <summary>Four int8 in one lane, each plus 128 as an unsigned byte.</summary>
internal readonly unsafe struct StoredUInt8Quad : IStored
{
    public static int Size => 4;

    public static float Read(byte* source) => BitConverter.UInt32BitsToSingle(Unsafe.ReadUnaligned<uint>(source) ^ Widening.SignsOfBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> => V.Xor(lanes, Widening.SignsOfBytes);
}

/// <summary>Two int8, widened to two int16 in one lane.</summary>
internal readonly unsafe struct StoredInt8Pair : IStored
{
    public static int Size => 2;

    public static float Read(byte* source)
    {
        short low = (sbyte)source[0], high = (sbyte)source[1];
        return BitConverter.UInt32BitsToSingle((ushort)low | ((uint)(ushort)high << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Widen<V>(V lanes, int index) where V : struct, ISimd<V> =>
        Widening.Int8Pair(index == 0 ? lanes : V.ShiftRight(lanes, 16));
}
