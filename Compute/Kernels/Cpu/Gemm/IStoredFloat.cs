using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>How weights are stored: what widens them to float32 while they are packed. Addresses need no alignment.</summary>
internal unsafe interface IStoredFloat
{
    /// <summary>Bytes of one element.</summary>
    static abstract int Size { get; }

    /// <summary>Widens as many elements as a register has lanes, exactly.</summary>
    static abstract V Load<V>(byte* source) where V : struct, ISimd<V>;

    /// <summary>Widens one element.</summary>
    static abstract float Read(byte* source);
}

/// <summary>IEEE binary32.</summary>
internal readonly unsafe struct StoredFloat32 : IStoredFloat
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => V.Load((float*)source);

    public static float Read(byte* source) => Unsafe.ReadUnaligned<float>(source);
}

/// <summary>The upper half of a binary32.</summary>
internal readonly unsafe struct StoredBFloat16 : IStoredFloat
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => Widening.BFloat16<V>((ushort*)source);

    public static float Read(byte* source) => BFloat16Bits.Widen(Unsafe.ReadUnaligned<ushort>(source));
}

/// <summary>IEEE binary16.</summary>
internal readonly unsafe struct StoredFloat16 : IStoredFloat
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ISimd<V> => Widening.Float16<V>((ushort*)source);

    public static float Read(byte* source) => (float)Unsafe.ReadUnaligned<Half>(source);
}
