using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A warp's sums of 16 rows by 32 columns.</summary>
internal struct MatrixRow
{
    public Float4 C0, C1, C2, C3;

    /// <summary>Adds the product of 16 rows and 32 columns, 32 bytes deep.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MatrixRow MultiplyAdd<TMatrix>(MatrixRow sums, Word4 a, Word4 b01, Word4 b23) where TMatrix : struct, IWarpMatrixType
    {
        sums.C0 = TMatrix.MultiplyAdd(sums.C0, a, b01.X, b01.Y);
        sums.C1 = TMatrix.MultiplyAdd(sums.C1, a, b01.Z, b01.W);
        sums.C2 = TMatrix.MultiplyAdd(sums.C2, a, b23.X, b23.Y);
        sums.C3 = TMatrix.MultiplyAdd(sums.C3, a, b23.Z, b23.W);
        return sums;
    }
}

/// <summary>A warp's sums of 64 rows by 32 columns, in registers.</summary>
internal struct MatrixTile
{
    public MatrixRow R0, R1, R2, R3;

    /// <summary>16 rows by index; see <see cref="Tile4x4.Row(int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly MatrixRow Row(int i) => i == 0 ? R0 : i == 1 ? R1 : i == 2 ? R2 : R3;
}
