using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Sixteen sums of one work item, in registers: four rows by four columns.</summary>
internal struct Tile4x4
{
    public Float4 R0, R1, R2, R3;

    /// <summary>Adds the inner products of four row vectors and four column vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 MultiplyAdd(Tile4x4 sums, Float4 a0, Float4 a1, Float4 a2, Float4 a3, Float4 b0, Float4 b1, Float4 b2, Float4 b3)
    {
        sums.R0 = Row(sums.R0, a0, b0, b1, b2, b3);
        sums.R1 = Row(sums.R1, a1, b0, b1, b2, b3);
        sums.R2 = Row(sums.R2, a2, b0, b1, b2, b3);
        sums.R3 = Row(sums.R3, a3, b0, b1, b2, b3);
        return sums;
    }

    /// <summary>Adds the outer product of four rows' and four columns' elements of one k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 MultiplyAdd(Tile4x4 sums, Float4 rows, Float4 columns)
    {
        sums.R0 = Float4.MultiplyAdd(rows.X, columns, sums.R0);
        sums.R1 = Float4.MultiplyAdd(rows.Y, columns, sums.R1);
        sums.R2 = Float4.MultiplyAdd(rows.Z, columns, sums.R2);
        sums.R3 = Float4.MultiplyAdd(rows.W, columns, sums.R3);
        return sums;
    }

    /// <summary>Adds another tile, sum by sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 operator +(Tile4x4 a, Tile4x4 b) =>
        new() { R0 = a.R0 + b.R0, R1 = a.R1 + b.R1, R2 = a.R2 + b.R2, R3 = a.R3 + b.R3 };

    /// <summary>A row by index. In a rolled loop this compiles to a few selections, and the loop's body is emitted once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Float4 Row(int i) => i == 0 ? R0 : i == 1 ? R1 : i == 2 ? R2 : R3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Row(Float4 sums, Float4 a, Float4 b0, Float4 b1, Float4 b2, Float4 b3) => new(
        Float4.MultiplyAdd(a, b0, sums.X), Float4.MultiplyAdd(a, b1, sums.Y), Float4.MultiplyAdd(a, b2, sums.Z),
            Float4.MultiplyAdd(a, b3, sums.W));
}
