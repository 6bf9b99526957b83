using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Partial registers at the ends of rows.</summary>
internal static unsafe class Simd
{
    // Inlined and free of calls: a call would spill every live accumulator, even inside the loop before it.

    /// <summary>Reads the last, incomplete register of a row; missing lanes are <paramref name="missing"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LoadPartial<V>(float* source, int count, float missing = 0) where V : struct, ISimd<V> =>
        V.LoadFirst(source, count, V.Create(missing));

    /// <summary>Writes the first lanes of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial<V>(V value, float* target, int count) where V : struct, ISimd<V> => V.StoreFirst(value, target, count);
}
