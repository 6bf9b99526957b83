using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Sixteen integer sums of one work item, in registers: four rows by four columns.</summary>
internal struct IntegerTile4x4
{
    public Int4 R0, R1, R2, R3;

    /// <summary>Adds the inner products of sixteen bytes of four rows and four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IntegerTile4x4 MultiplyAdd(IntegerTile4x4 sums, Int4 a0, Int4 a1, Int4 a2, Int4 a3, Int4 b0, Int4 b1, Int4 b2, Int4 b3)
    {
        sums.R0 = Row(sums.R0, a0, b0, b1, b2, b3);
        sums.R1 = Row(sums.R1, a1, b0, b1, b2, b3);
        sums.R2 = Row(sums.R2, a2, b0, b1, b2, b3);
        sums.R3 = Row(sums.R3, a3, b0, b1, b2, b3);
        return sums;
    }

    /// <summary>A row by index, as <see cref="Tile4x4.Row(int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Int4 Row(int i) => i == 0 ? R0 : i == 1 ? R1 : i == 2 ? R2 : R3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Int4 Row(Int4 sums, Int4 a, Int4 b0, Int4 b1, Int4 b2, Int4 b3) =>
        new(Int4.MultiplyAdd(a, b0, sums.X), Int4.MultiplyAdd(a, b1, sums.Y), Int4.MultiplyAdd(a, b2, sums.Z),
            Int4.MultiplyAdd(a, b3, sums.W));
}
