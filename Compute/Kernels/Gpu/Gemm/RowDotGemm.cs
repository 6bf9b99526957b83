using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// GEMM with few rows, such as a timestep embedding: one group per result element, whose work items share K. Tiles would be mostly empty.
/// </summary>
internal static class RowDotGemm
{
    public const int GroupSize = 64;

    /// <summary>Most rows for which this is faster than tiles.</summary>
    public const int MostRows = 8;

    internal static void Plain<T, E, W, WE, B, BE, TActivation, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y, int rows,
        int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TAccess : struct, IAccess
    {
        float sum = Sum<T, E, W, WE, TAccess>(x, w, depth, xPitch);
        if (Group.IdxX != 0) return;
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        finish.Write(Grid.IdxY, Grid.IdxX, sum);
    }

    /// <summary>As <see cref="Plain"/>, with a factor for each column.</summary>
    internal static void Scaled<T, E, W, WE, B, BE, TActivation, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<float> columnScales, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual,
        ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TAccess : struct, IAccess
    {
        float sum = Sum<T, E, W, WE, TAccess>(x, w, depth, xPitch);
        if (Group.IdxX != 0) return;
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        finish.Write(Grid.IdxY, Grid.IdxX, sum * columnScales[Grid.IdxX]);
    }

    /// <summary>The group's dot product, for its first work item.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum<T, E, W, WE, TAccess>(ArrayView<T> x, ArrayView<W> w, int depth, int xPitch)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W>
        where TAccess : struct, IAccess
    {
        var sums = SharedMemory.Allocate<float>(GroupSize);
        int row = Grid.IdxY, column = Grid.IdxX, item = Group.IdxX;
        float sum = 0f;
        if (TAccess.Wide)
            for (int k = 4 * item; k < depth; k += 4 * GroupSize)
                sum = Float4.MultiplyAdd(E.Widen4(E.Fetch4(x, row * xPitch + k)), WE.Widen4(WE.Fetch4(w, column * depth + k)), sum);
        else
            for (int k = item; k < depth; k += GroupSize)
                sum = DeviceMath.Fma(E.Widen(x[row * xPitch + k]), WE.Widen(w[column * depth + k]), sum);
        sums[item] = sum;
        for (int half = GroupSize / 2; half > 0; half /= 2)
        {
            Block.Sync();
            if (item < half) sums[item] += sums[item + half];
        }

        return sums[item];
    }
}
