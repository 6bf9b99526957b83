using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>Where a sub-group's work item puts a matrix of sums.</summary>
internal static class SubGroupSums
{
    /// <summary>Writes eight sums of one column, <paramref name="at"/> being that column's first row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TLayout>(ArrayView<float> target, int at, int pitch, Float8 sums, int lane) where TLayout : struct, IMatrixLayout
    {
        target[at + TLayout.SumRow(lane, 0) * pitch] = sums.A;
        target[at + TLayout.SumRow(lane, 1) * pitch] = sums.B;
        target[at + TLayout.SumRow(lane, 2) * pitch] = sums.C;
        target[at + TLayout.SumRow(lane, 3) * pitch] = sums.D;
        target[at + TLayout.SumRow(lane, 4) * pitch] = sums.E;
        target[at + TLayout.SumRow(lane, 5) * pitch] = sums.F;
        target[at + TLayout.SumRow(lane, 6) * pitch] = sums.G;
        target[at + TLayout.SumRow(lane, 7) * pitch] = sums.H;
    }
}
