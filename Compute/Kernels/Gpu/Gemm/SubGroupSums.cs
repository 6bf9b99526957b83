using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Writes a sub-group's matrix of sums to local memory.</summary>
internal static class SubGroupSums
{
    /// <summary>
    /// Writes this work item's eight sums of the matrix at <paramref name="at"/>; rows are <paramref name="pitch"/> apart.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TLayout>(ArrayView<float> target, int at, int pitch, Float8 sums, int lane) where TLayout : struct, IMatrixLayout
    {
        target[at + TLayout.SumRow(lane, 0) * pitch + TLayout.SumColumn(lane, 0)] = sums.A;
        target[at + TLayout.SumRow(lane, 1) * pitch + TLayout.SumColumn(lane, 1)] = sums.B;
        target[at + TLayout.SumRow(lane, 2) * pitch + TLayout.SumColumn(lane, 2)] = sums.C;
        target[at + TLayout.SumRow(lane, 3) * pitch + TLayout.SumColumn(lane, 3)] = sums.D;
        target[at + TLayout.SumRow(lane, 4) * pitch + TLayout.SumColumn(lane, 4)] = sums.E;
        target[at + TLayout.SumRow(lane, 5) * pitch + TLayout.SumColumn(lane, 5)] = sums.F;
        target[at + TLayout.SumRow(lane, 6) * pitch + TLayout.SumColumn(lane, 6)] = sums.G;
        target[at + TLayout.SumRow(lane, 7) * pitch + TLayout.SumColumn(lane, 7)] = sums.H;
    }
}
