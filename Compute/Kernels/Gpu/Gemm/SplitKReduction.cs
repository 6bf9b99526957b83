using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Adds the partial sums of a split-K GEMM, in order, and writes the result.</summary>
internal static class SplitKReduction
{
    public const int GroupSize = 256;

    /// <summary>One work item per four columns of a row.</summary>
    internal static void Plain<T, E, B, BE, TActivation, TAccess>(
        ArrayView<float> sums, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y, int rows, int columns,
        int count,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
            where TActivation : struct, IActivation where TAccess : struct, IAccess
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, quads = (columns + 3) / 4, row = item / quads, column = 4 * (item - row * quads);
        if (row >= rows) return;
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        finish.Write4<TAccess>(row, column, columns, Sum<TAccess>(sums, row * columns + column, columns - column, rows * columns, count));
    }

    /// <summary>The same for a gated GEMM: a row of partial sums has value and gate, <paramref name="columns"/> each.</summary>
    internal static void Gated<T, E, B, BE, TAccess>(ArrayView<float> sums, ArrayView<B> bias, ArrayView<T> y, int rows, int columns,
        int count, int terms, int yPitch)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B> where TAccess : struct, IAccess
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, quads = (columns + 3) / 4, row = item / quads, column = 4 * (item - row * quads);
        if (row >= rows) return;
        var finish = new GpuGemmEpilogue<T, E, B, BE, Activations.Identity>(bias, y, y, y, terms, 1, 0, 0, yPitch, 1f);
        int at = 2 * row * columns + column, step = 2 * rows * columns;
        finish.WriteGated4<TAccess>(row, column, columns, Sum<TAccess>(sums, at, columns - column, step, count),
            Sum<TAccess>(sums, at + columns, columns - column, step, count));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    private static Float4 Sum<TAccess>(ArrayView<float> sums, int at, int columns, int step, int count) where TAccess : struct, IAccess
    {
        Float4 total = default;
        for (int i = 0; i < count; i++, at += step)
        {
            Float4 part = default;
            if (TAccess.Wide)
            {
                part = Fp32.Widen4(Fp32.Fetch4(sums, at));
            }
            else
            {
                part.X = sums[at];
                if (columns > 1) part.Y = sums[at + 1];
                if (columns > 2) part.Z = sums[at + 2];
                if (columns > 3) part.W = sums[at + 3];
            }

            total += part;
        }

        return total;
    }
}
