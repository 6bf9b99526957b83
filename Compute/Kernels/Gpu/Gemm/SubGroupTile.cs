using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A work item's part of two adjacent matrices of sums.</summary>
internal struct SubGroupBand
{
    public Float8 C0, C1;

    /// <summary>Adds the product of the rows and two matrices' columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SubGroupBand MultiplyAdd<TMatrix>(SubGroupBand sums, Word8 a, Word8 b0, Word8 b1) where TMatrix : struct, IMatrixType
    {
        sums.C0 = TMatrix.MultiplyAdd(sums.C0, a, b0);
        sums.C1 = TMatrix.MultiplyAdd(sums.C1, a, b1);
        return sums;
    }
}

/// <summary>A work item's part of four by two matrices of sums: 64 registers.</summary>
internal struct SubGroupTile
{
    public SubGroupBand R0, R1, R2, R3;

    /// <summary>A band by index; see <see cref="Tile4x4.Row(int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly SubGroupBand Band(int i) => i == 0 ? R0 : i == 1 ? R1 : i == 2 ? R2 : R3;
}
