using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>y = (sums − row offset) · row scale · column scale + bias: integer sums become floats without passing through memory.</summary>
internal readonly unsafe struct ScaledEnd<V>(ScaledTile tile) : ITileEnd<V> where V : struct, IIntegerLanes<V>
{
    private readonly ScaledTile tile = tile;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, V left, V right)
    {
        float* target = tile.Y + row * tile.Pitch, bias = tile.Bias;
        V.StoreScaled(left, tile.Offsets[row], tile.RowScales[row], tile.Scales, bias, target);
        V.StoreScaled(right, tile.Offsets[row], tile.RowScales[row], tile.Scales + V.Count, bias is null ? null : bias + V.Count,
            target + V.Count);
    }
}

/// <summary>Where an integer tile's results are written, and how they are scaled.</summary>
/// <param name="y">The tile's first result.</param>
/// <param name="pitch">Elements between rows of y.</param>
/// <param name="offsets">Subtracted from each row's sums.</param>
/// <param name="rowScales">One factor per row.</param>
/// <param name="scales">One factor per column.</param>
/// <param name="bias">Per column, or null.</param>
internal readonly unsafe struct ScaledTile(float* y, nint pitch, int* offsets, float* rowScales, float* scales, float* bias)
{
    public readonly float* Y = y, RowScales = rowScales, Scales = scales, Bias = bias;
    public readonly int* Offsets = offsets;
    public readonly nint Pitch = pitch;
}
