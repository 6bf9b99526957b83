using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// The product of GPUs without matrix instructions. A group of 256 computes 64 rows by two times 64 columns; both operands pass through local memory
/// in pieces of 16 along the inner dimension, and each work item keeps 4 × 8 sums in registers: 12 reads of four floats for 128 multiply-adds.
/// </summary>
/// <remarks>
/// A work item's rows are ty, ty + 16, …, its columns tx, tx + 16, …; with 5 Float4 per staged row of 4, the columns that neighbours read lie in
/// different banks. The two halves of the columns are neighbours, or the two sides of a gated product.
/// </remarks>
internal static class TiledProduct
{
    public const int GroupSize = 256, Rows = 64, Half = 64, Columns = 2 * Half;
    private const int BlockDepth = 256; // sums are taken over so much, and then of these: the error grows with the longest chain
    private const int Depth = 16, Stride = Depth / 4 + 1, Step = 16 * Stride;

    internal static void Plain<T, E, W, WE, B, BE, TActivation>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> entry, ArrayView<T> residual, ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int parts, int rowsPerEntry, int entryPitch, int residualPitch, int pitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation
    {
        var finish = new ProductFinish<T, E, B, BE, TActivation>(bias, entry, residual, y, parts, rowsPerEntry, entryPitch, residualPitch, pitch, scale);
        Run<T, E, W, WE, B, BE, TActivation, PlainRows>(new PlainRows(xPitch), finish, x, w, rows, columns, depth, 1);
    }

    internal static void Image<T, E, W, WE, B, BE, TActivation>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> entry, ArrayView<T> residual, ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int parts, int rowsPerEntry, int entryPitch, int residualPitch, int pitch, float scale,
        int taps, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride, int padding, float rowRatio, float columnRatio)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation
    {
        var finish = new ProductFinish<T, E, B, BE, TActivation>(bias, entry, residual, y, parts, rowsPerEntry, entryPitch, residualPitch, pitch, scale);
        var source = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding, rowRatio, columnRatio);
        Run<T, E, W, WE, B, BE, TActivation, ImageRows>(source, finish, x, w, rows, columns, depth, taps);
    }

    internal static void Gated<T, E, W, WE, B, BE>(
        ArrayView<T> x, ArrayView<W> w, ArrayView<B> bias, ArrayView<T> y, int rows, int columns, int depth, int xPitch, int parts, int pitch)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged where BE : struct, IElement<B>
    {
        var finish = new ProductFinish<T, E, B, BE, Activations.Identity>(bias, y, y, y, parts, 1, 0, 0, pitch, 1f);
        var a = SharedMemory.Allocate<Float4>(Rows * Stride);
        var b = SharedMemory.Allocate<Float4>(Columns * Stride);
        var staged = SharedMemory.Allocate<float>(16 * Columns);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Half;
        var sums = Sum<T, E, W, WE, PlainRows>(new PlainRows(xPitch), x, w, a, b, row0, rows, column0, columns + column0, 2 * columns, depth, 1);
        for (int i = 0; i < 4; i++)
        {
            Stage(staged, sums.Low.Row(i), sums.High.Row(i));
            for (int p = Group.IdxX; p < 16 * Half; p += GroupSize)
            {
                int row = row0 + 16 * i + p / Half, column = column0 + p % Half, at = p / Half * Columns + p % Half;
                if (row < rows && column < columns) finish.WriteGated(row, column, columns, staged[at], staged[at + Half]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<T, E, W, WE, B, BE, TActivation, TRows>(
        TRows source, ProductFinish<T, E, B, BE, TActivation> finish, ArrayView<T> x, ArrayView<W> w, int rows, int columns, int depth, int taps)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TRows : struct, IRowSource
    {
        var a = SharedMemory.Allocate<Float4>(Rows * Stride);
        var b = SharedMemory.Allocate<Float4>(Columns * Stride);
        var staged = SharedMemory.Allocate<float>(16 * Columns);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = Sum<T, E, W, WE, TRows>(source, x, w, a, b, row0, rows, column0, column0 + Half, columns, depth, taps);
        for (int i = 0; i < 4; i++)
        {
            Stage(staged, sums.Low.Row(i), sums.High.Row(i));
            for (int p = Group.IdxX; p < 16 * Columns; p += GroupSize)
            {
                int row = row0 + 16 * i + p / Columns, column = column0 + p % Columns;
                if (row < rows && column < columns) finish.Write(row, column, staged[p]);
            }
        }
    }

    // Through local memory, so that neighbours write neighbouring columns, and the code of the epilogue exists once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(ArrayView<float> staged, Float4 low, Float4 high)
    {
        Block.Sync();
        int at = Group.IdxX / 16 * Columns + Group.IdxX % 16;
        (staged[at], staged[at + 16], staged[at + 32], staged[at + 48]) = (low.X, low.Y, low.Z, low.W);
        (staged[at + 64], staged[at + 80], staged[at + 96], staged[at + 112]) = (high.X, high.Y, high.Z, high.W);
        Block.Sync();
    }

    private struct TwoTiles
    {
        public Tile4x4 Low, High;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TwoTiles Sum<T, E, W, WE, TRows>(
        TRows source, ArrayView<T> x, ArrayView<W> w, ArrayView<Float4> a, ArrayView<Float4> b, int row0, int rows, int low0, int high0, int weightRows, int depth, int taps)
        where T : unmanaged where E : struct, IElement<T> where W : unmanaged where WE : struct, IElement<W> where TRows : struct, IRowSource
    {
        int item = Group.IdxX, tx = item % 16, ty = item / 16, line = item / 4, quad = item % 4;
        // Rows and columns beyond the end repeat the last one; what comes of them is not written.
        int row = Math.Min(row0 + line, rows - 1), low = Math.Min(low0 + line, weightRows - 1), high = Math.Min(high0 + line, weightRows - 1);
        int ia = ty * Stride, ib = tx * Stride, staged = line * Stride + quad;
        TwoTiles sums = default, totals = default;
        int summed = 0;
        for (int tap = 0; tap < taps; tap++)
        {
            int offset = source.Offset(row, tap), lowOffset = (low * taps + tap) * depth, highOffset = (high * taps + tap) * depth;
            for (int k0 = 0; k0 < depth; k0 += Depth)
            {
                int k = k0 + 4 * quad;
                Float4 left = Load<T, E>(x, offset, k, depth), right0 = Load<W, WE>(w, lowOffset, k, depth), right1 = Load<W, WE>(w, highOffset, k, depth);
                Block.Sync(); // everybody is done with what was staged before
                a[staged] = left;
                b[staged] = right0;
                b[staged + Half * Stride] = right1;
                Block.Sync();
                for (int i = 0; i < Depth / 4; i++)
                {
                    Float4 a0 = a[ia + i], a1 = a[ia + Step + i], a2 = a[ia + 2 * Step + i], a3 = a[ia + 3 * Step + i];
                    sums.Low = Tile4x4.MultiplyAdd(sums.Low, a0, a1, a2, a3, b[ib + i], b[ib + Step + i], b[ib + 2 * Step + i], b[ib + 3 * Step + i]);
                    int ih = ib + Half * Stride + i;
                    sums.High = Tile4x4.MultiplyAdd(sums.High, a0, a1, a2, a3, b[ih], b[ih + Step], b[ih + 2 * Step], b[ih + 3 * Step]);
                }

                summed += Depth;
                if (summed < BlockDepth) continue;
                (totals.Low, totals.High, summed) = (totals.Low + sums.Low, totals.High + sums.High, 0);
                sums = default;
            }
        }

        totals.Low += sums.Low;
        totals.High += sums.High;
        return totals;
    }

    // Four elements along the inner dimension; zero beyond its end and outside the image.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Load<T, E>(ArrayView<T> view, int offset, int k, int depth) where T : unmanaged where E : struct, IElement<T>
    {
        Float4 piece = default;
        if (offset < 0 || k >= depth) return piece;
        int at = offset + k;
        piece.X = E.Widen(view[at]);
        if (k + 1 < depth) piece.Y = E.Widen(view[at + 1]);
        if (k + 2 < depth) piece.Z = E.Widen(view[at + 2]);
        if (k + 3 < depth) piece.W = E.Widen(view[at + 3]);
        return piece;
    }
}
