using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The ends of rows: registers that are filled in part.</summary>
internal static unsafe class Simd
{
    // Inlined and free of calls: a call would take every sum that is alive there out of its register, and the compiler does so inside the loop before it.

    /// <summary>Reads the last, incomplete register of a row; missing lanes are <paramref name="missing"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LoadPartial<V>(float* source, int count, float missing = 0) where V : struct, ISimd<V> => V.LoadFirst(source, count, V.Create(missing));

    /// <summary>Writes the first lanes of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial<V>(V value, float* target, int count) where V : struct, ISimd<V> => V.StoreFirst(value, target, count);
}
