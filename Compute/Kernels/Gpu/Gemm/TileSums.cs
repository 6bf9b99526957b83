using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A work item's sums of a tile, in registers: one or two blocks of 4 × 4 in each direction.</summary>
internal struct TileSums
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int BlockDepth = 256; // K per partial sum: the error grows with the longest chain of additions
    private const int Padding = 1; // Float4 behind each staged row, which halves the bank conflicts of its four-element stores

    public Tile4x4 S00, S01, S10, S11;

    /// <summary>Four columns of a row, in the work item's numbering.</summary>
    [MethodImpl(Inline)]
    public readonly Float4 Row(int line, int side) =>
        side == 0 ? line < 4 ? S00.Row(line) : S10.Row(line - 4) : line < 4 ? S01.Row(line) : S11.Row(line - 4);

    /// <summary>The tile row of such a row.</summary>
    [MethodImpl(Inline)]
    public static int RowOf<TItems>(int line) where TItems : struct, IItems =>
        4 * (Group.IdxX / TItems.Columns) + line % 4 + line / 4 * 4 * TItems.Rows;

    /// <summary>Sums steps <paramref name="first"/> to <paramref name="last"/> of K, kernel position by kernel position.</summary>
    /// <remarks>
    /// With more than 16 sums per work item, each is one chain of additions, whose rounding is within the bound of <c>MatMul</c>: partial
    /// sums would take as many registers again, and halve the number of work items that hide a GPU's memory latency.
    /// </remarks>
    [MethodImpl(Inline)]
    public static TileSums Of<T, E, W, WE, TItems, TPiece, TAccess, TRows>(
        TRows source, ArrayView<T> x, ArrayView<W> w, int row0, int rows, int low0, int high0, int weightRows, int depth, int positions,
            int first, int last)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W>
        where TItems : struct, IItems where TPiece : struct, IPiece where TAccess : struct, IAccess where TRows : struct, IRowSource
    {
        var a = SharedMemory.Allocate<Float4>((TItems.Rows * TPiece.Rows + Padding) * TItems.Depth);
        var b = SharedMemory.Allocate<Float4>((TItems.Columns * TPiece.Columns + Padding) * TItems.Depth);
        var left = new TileLoader<T, E, TItems, TAccess>(x, 4 * TItems.Rows * TPiece.Rows);
        var right = new TileLoader<W, WE, TItems, TAccess>(w, 4 * TItems.Columns * TPiece.Columns);
        int strideA = TItems.Rows * TPiece.Rows + Padding, strideB = TItems.Columns * TPiece.Columns + Padding;
        int stepsPerPosition = (depth + TItems.Depth - 1) / TItems.Depth, position = first / stepsPerPosition,
            k = (first - position * stepsPerPosition) * TItems.Depth;

        // Rows and columns beyond the end repeat the last one; their results are not written.
        RowOffsets at = left.Rows(source, row0, rows, position),
            from = right.Columns(low0, high0, 4 * TItems.Columns, weightRows, positions * depth, position * depth);
        Pieces rowPieces = left.Load(at, k, depth), columnPieces = right.Load(from, k, depth);
        TileSums sums = default;
        Tile4x4 total = default;
        int summed = 0;
        for (int step = first; step < last; step++)
        {
            Block.Sync(); // all work items have read the previous step
            left.Stage(a.Cast<float>(), 4 * strideA, rowPieces);
            right.Stage(b.Cast<float>(), 4 * strideB, columnPieces);
            Block.Sync();
            k += TItems.Depth;
            if (k >= depth)
            {
                (position, k) = (position + 1, 0);
                if (position < positions)
                {
                    at = left.Rows(source, row0, rows, position);
                    from = from.Further(depth);
                }
            }

            if (step + 1 < last) // loads of the next step overlap this step's arithmetic
            {
                rowPieces = left.Load(at, k, depth);
                columnPieces = right.Load(from, k, depth);
            }

            int ia = Group.IdxX / TItems.Columns, ib = Group.IdxX % TItems.Columns;
            for (int i = 0; i < TItems.Depth; i++)
            {
                Float4 a0 = a[i * strideA + ia], b0 = b[i * strideB + ib];
                sums.S00 = Tile4x4.MultiplyAdd(sums.S00, a0, b0);
                if (TPiece.Columns > 1)
                {
                    Float4 b1 = b[i * strideB + TItems.Columns + ib];
                    sums.S01 = Tile4x4.MultiplyAdd(sums.S01, a0, b1);
                    if (TPiece.Rows > 1) sums.S11 = Tile4x4.MultiplyAdd(sums.S11, a[i * strideA + TItems.Rows + ia], b1);
                }

                if (TPiece.Rows > 1) sums.S10 = Tile4x4.MultiplyAdd(sums.S10, a[i * strideA + TItems.Rows + ia], b0);
            }

            if (TPiece.Rows * TPiece.Columns > 1) continue;
            summed += TItems.Depth;
            if (summed < BlockDepth) continue;
            total += sums.S00;
            sums.S00 = default;
            summed = 0;
        }

        if (TPiece.Rows * TPiece.Columns == 1) sums.S00 += total;
        return sums;
    }
}
