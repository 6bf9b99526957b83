using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// GEMM of GPUs without matrix instructions. A group computes a tile of the result (<see cref="GpuGemmTile"/>): both operands pass through
/// local memory in steps along K, while each work item keeps 16 to 64 sums in registers and loads the next step's elements.
/// </summary>
/// <remarks>
/// Local memory holds [k][row] and [k][column]. Each work item reads four at a time: a row of work items reads the same rows, consecutive
/// work items read consecutive columns. A work item's columns are contiguous too, so it writes four at once. In tiles with two blocks of
/// rows or columns, the second blocks follow after all first ones: the next columns, or the gate of a gated GEMM.
/// </remarks>
internal static class TiledGemm
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    internal static void Plain<T, E, W, WE, B, BE, TActivation, TItems, TPiece, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y, int rows,
        int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        Finish<T, E, W, WE, B, BE, TActivation, TItems, TPiece, TAccess, PlainRows>(new PlainRows(xPitch), finish, x, w, rows, columns,
            depth, 1);
    }

    internal static void Image<T, E, W, WE, B, BE, TActivation, TItems, TPiece, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y, int rows,
        int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale,
        int positions, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride,
            int padding, float rowRatio, float columnRatio)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        var source = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding,
            rowRatio, columnRatio);
        Finish<T, E, W, WE, B, BE, TActivation, TItems, TPiece, TAccess, ImageRows>(source, finish, x, w, rows, columns, depth, positions);
    }

    internal static void Gated<T, E, W, WE, B, BE, TItems, TPiece, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> y, int rows, int columns, int depth, int xPitch, int terms,
        int yPitch)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, Activations.Identity>(bias, y, y, y, terms, 1, 0, 0, yPitch, 1f);
        int row0 = Grid.IdxX * 4 * TItems.Rows * TPiece.Rows, column0 = Grid.IdxY * 4 * TItems.Columns,
            steps = (depth + TItems.Depth - 1) / TItems.Depth;
        var sums = TileSums.Of<T, E, W, WE, TItems, TPiece, TAccess, PlainRows>(new PlainRows(xPitch), x, w, row0, rows, column0,
            columns + column0, 2 * columns, depth, 1, 0, steps);
        int column = column0 + 4 * (Group.IdxX % TItems.Columns);
        for (int i = 0; i < 4 * TPiece.Rows; i++)
        {
            int row = row0 + TileSums.RowOf<TItems>(i);
            if (row < rows) finish.WriteGated4<TAccess>(row, column, columns, sums.Row(i, 0), sums.Row(i, 1));
        }
    }

    /// <summary>
    /// As <see cref="Plain"/>, for one part of a split K: the bare sums go to [parts, rows, columns] in float32. Groups in Z over parts.
    /// </summary>
    internal static void PlainPart<T, E, W, WE, TItems, TPiece, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<float> sums, int rows, int columns, int depth, int xPitch, int stepsPerPart)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W>
        where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess =>
        Part<T, E, W, WE, TItems, TPiece, TAccess, PlainRows>(new PlainRows(xPitch), x, w, sums, rows, columns, depth, 1, stepsPerPart);

    /// <summary>As <see cref="Image"/>, for one part of a split K.</summary>
    internal static void ImagePart<T, E, W, WE, TItems, TPiece, TAccess>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<float> sums, int rows, int columns, int depth, int xPitch, int stepsPerPart,
        int positions, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride,
            int padding, float rowRatio, float columnRatio)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W>
        where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess
    {
        var source = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding,
            rowRatio, columnRatio);
        Part<T, E, W, WE, TItems, TPiece, TAccess, ImageRows>(source, x, w, sums, rows, columns, depth, positions, stepsPerPart);
    }

    [MethodImpl(Inline)]
    private static void Finish<T, E, W, WE, B, BE, TActivation, TItems, TPiece, TAccess, TRows>(
        TRows source, GpuGemmEpilogue<T, E, B, BE, TActivation> finish, ArrayView<T> x, ArrayView<W> w, int rows, int columns, int depth,
            int positions)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess
            where TRows : struct, IRowSource
    {
        int row0 = Grid.IdxX * 4 * TItems.Rows * TPiece.Rows, column0 = Grid.IdxY * 4 * TItems.Columns * TPiece.Columns,
            steps = (depth + TItems.Depth - 1) / TItems.Depth * positions;
        var sums = TileSums.Of<T, E, W, WE, TItems, TPiece, TAccess, TRows>(source, x, w, row0, rows, column0, column0 + 4 * TItems.Columns,
            columns, depth, positions, 0, steps);
        int column = column0 + 4 * (Group.IdxX % TItems.Columns);
        for (int i = 0; i < 4 * TPiece.Rows * TPiece.Columns; i++) // one loop, so that the epilogue's code is emitted once
        {
            int line = i / TPiece.Columns, side = i % TPiece.Columns, row = row0 + TileSums.RowOf<TItems>(line);
            if (row < rows) finish.Write4<TAccess>(row, column + side * 4 * TItems.Columns, columns, sums.Row(line, side));
        }
    }

    [MethodImpl(Inline)]
    private static void Part<T, E, W, WE, TItems, TPiece, TAccess, TRows>(
        TRows source, ArrayView<T> x, ArrayView<W> w, ArrayView<float> target, int rows, int columns, int depth, int positions,
            int stepsPerPart)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W>
        where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess where TRows : struct, IRowSource
    {
        int row0 = Grid.IdxX * 4 * TItems.Rows * TPiece.Rows, column0 = Grid.IdxY * 4 * TItems.Columns * TPiece.Columns,
            steps = (depth + TItems.Depth - 1) / TItems.Depth * positions;
        int first = Grid.IdxZ * stepsPerPart, last = Math.Min(first + stepsPerPart, steps);
        var sums = TileSums.Of<T, E, W, WE, TItems, TPiece, TAccess, TRows>(source, x, w, row0, rows, column0, column0 + 4 * TItems.Columns,
            columns, depth, positions, first, last);
        int column = column0 + 4 * (Group.IdxX % TItems.Columns);
        for (int i = 0; i < 4 * TPiece.Rows * TPiece.Columns; i++)
        {
            int line = i / TPiece.Columns, side = i % TPiece.Columns, row = row0 + TileSums.RowOf<TItems>(line),
                from = column + side * 4 * TItems.Columns;
            if (row >= rows || from >= columns) continue;
            Float4 values = sums.Row(line, side);
            int at = (Grid.IdxZ * rows + row) * columns + from;
            if (TAccess.Wide)
            {
                Fp32.Store4(target, at, values);
                continue;
            }

            target[at] = values.X;
            if (from + 1 < columns) target[at + 1] = values.Y;
            if (from + 2 < columns) target[at + 2] = values.Z;
            if (from + 3 < columns) target[at + 3] = values.W;
        }
    }
}
