using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Int8 GEMM for devices with a four-way dot product: sums are int32 and exact; scaling and epilogue are included. A group of 256 computes
/// 64 rows by 128 columns, 64 bytes of K at a time, like <see cref="TiledGemm"/> with floats: 12 reads of sixteen bytes for 512
/// multiply-adds.
/// </summary>
internal static class Int8GemmGpu
{
    public const int GroupSize = 256, Rows = 64, Columns = 128;

    /// <summary>Bytes of a vector; the operands' rows are padded with zeros to whole vectors.</summary>
    public const int Piece = 16;

    // five vectors a row: consecutive columns are in different banks
    private const int Half = Columns / 2, Depth = 4, Stride = Depth + 1, Step = 16 * Stride;

    /// <summary>Pads rows to whole vectors: one work item per four bytes of the result.</summary>
    internal static void Fill(ArrayView<sbyte> source, ArrayView<int> target, int count, int width, int words)
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int row = i / words, k = (i - row * words) * 4, packed = 0;
        for (int b = 0; b < 4; b++) packed |= k + b < width ? (source[row * width + k + b] & 0xFF) << (8 * b) : 0;
        target[i] = packed;
    }

    internal static void Kernel<T, E, B, BE, TActivation>(
        ArrayView<Int4> x, ArrayView<Int4> w, ArrayView<float> rowScales, ArrayView<float> columnScales, ArrayView<B> bias,
        ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y,
        int rows, int columns, int pieces, int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
            where TActivation : struct, IActivation
    {
        var a = SharedMemory.Allocate<Int4>(Rows * Stride);
        var b = SharedMemory.Allocate<Int4>(Columns * Stride);
        var staged = SharedMemory.Allocate<int>(16 * Columns);
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        int item = Group.IdxX, tx = item % 16, ty = item / 16, line = item / 4, quarter = item % 4, row0 = Grid.IdxX * Rows,
            column0 = Grid.IdxY * Columns;
        // Rows and columns beyond the end repeat the last one; their results are not written.
        int row = Math.Min(row0 + line, rows - 1) * pieces, low = Math.Min(column0 + line, columns - 1) * pieces,
            high = Math.Min(column0 + Half + line, columns - 1) * pieces;
        int ia = ty * Stride, ib = tx * Stride, at = line * Stride + quarter;
        IntegerTile4x4 left = default, right = default;
        for (int piece = quarter; piece < pieces + quarter; piece += Depth)
        {
            bool inside = piece < pieces;
            Int4 fromX = default, fromLow = default, fromHigh = default;
            if (inside)
            {
                fromX = x[row + piece];
                fromLow = w[low + piece];
                fromHigh = w[high + piece];
            }

            Block.Sync(); // all work items have read the previous step
            a[at] = fromX;
            b[at] = fromLow;
            b[at + Half * Stride] = fromHigh;
            Block.Sync();
            for (int i = 0; i < Depth; i++)
            {
                Int4 a0 = a[ia + i], a1 = a[ia + Step + i], a2 = a[ia + 2 * Step + i], a3 = a[ia + 3 * Step + i];
                left = IntegerTile4x4.MultiplyAdd(left, a0, a1, a2, a3, b[ib + i], b[ib + Step + i], b[ib + 2 * Step + i],
                    b[ib + 3 * Step + i]);
                int ih = ib + Half * Stride + i;
                right = IntegerTile4x4.MultiplyAdd(right, a0, a1, a2, a3, b[ih], b[ih + Step], b[ih + 2 * Step], b[ih + 3 * Step]);
            }
        }

        for (int i = 0; i < 4; i++)
        {
            Stage(staged, left.Row(i), right.Row(i));
            for (int p = item; p < 16 * Columns; p += GroupSize)
            {
                int resultRow = row0 + 16 * i + p / Columns, column = column0 + p % Columns;
                if (resultRow < rows && column < columns)
                    finish.Write(resultRow, column, staged[p] * rowScales[resultRow] * columnScales[column]);
            }
        }
    }

    // Through local memory, so that consecutive work items write consecutive columns and the epilogue's code is emitted once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(ArrayView<int> staged, Int4 low, Int4 high)
    {
        Block.Sync();
        int at = Group.IdxX / 16 * Columns + Group.IdxX % 16;
        (staged[at], staged[at + 16], staged[at + 32], staged[at + 48]) = (low.X, low.Y, low.Z, low.W);
        (staged[at + 64], staged[at + 80], staged[at + 96], staged[at + 112]) = (high.X, high.Y, high.Z, high.W);
        Block.Sync();
    }
}
