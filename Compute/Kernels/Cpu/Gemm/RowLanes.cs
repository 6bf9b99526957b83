using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Transposes rows into lanes, the basic step of packing.</summary>
internal static unsafe class RowLanes
{
    /// <summary>Rows are read in units of four bytes; this many are transposed at a time.</summary>
    public const int Units = 4;

    /// <summary>Elements of each row that <see cref="Transpose"/> takes.</summary>
    public static int Elements<TStored>() where TStored : struct, IStored => Units * sizeof(float) / TStored.Size;

    /// <summary>
    /// Takes the next <see cref="Elements"/> elements of one register's worth of rows; element i of all rows goes to
    /// <c>target + offsets[i]</c>.
    /// </summary>
    /// <param name="rows">Address of each row's first element.</param>
    /// <param name="at">Byte offset of the elements from there.</param>
    /// <param name="target">Base of the offsets.</param>
    /// <param name="offsets">Offset of each element, in elements.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose<V, TStored>(byte** rows, nint at, float* target, nint* offsets)
        where V : struct, ISimd<V>
        where TStored : struct, IStored
    {
        // Each register holds every fourth row, so that 4×4 blocks are transposed within 128-bit lanes. Interleaving rows 0 with 2 and 1
        // with 3, then both results, puts each column's units next to each other in order. Short elements are widened after the transpose:
        // half as many shuffles.
        V r0 = V.LoadEveryFourth(rows, at), r1 = V.LoadEveryFourth(rows + 1, at), r2 = V.LoadEveryFourth(rows + 2, at),
            r3 = V.LoadEveryFourth(rows + 3, at);
        V even0 = V.ZipLow(r0, r2), even1 = V.ZipHigh(r0, r2), odd0 = V.ZipLow(r1, r3), odd1 = V.ZipHigh(r1, r3);
        int perUnit = sizeof(float) / TStored.Size;
        Store<V, TStored>(V.ZipLow(even0, odd0), target, offsets);
        Store<V, TStored>(V.ZipHigh(even0, odd0), target, offsets + perUnit);
        Store<V, TStored>(V.ZipLow(even1, odd1), target, offsets + 2 * perUnit);
        Store<V, TStored>(V.ZipHigh(even1, odd1), target, offsets + 3 * perUnit);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V, TStored>(V units, float* target, nint* offsets)
        where V : struct, ISimd<V>
        where TStored : struct, IStored
    {
        V.Store(TStored.Widen(units, 0), target + offsets[0]);
        if (TStored.Size < sizeof(float)) V.Store(TStored.Widen(units, 1), target + offsets[1]);
        if (TStored.Size > sizeof(byte)) return;
        V.Store(TStored.Widen(units, 2), target + offsets[2]);
        V.Store(TStored.Widen(units, 3), target + offsets[3]);
    }
}
