using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// The product of 16-bit operands on tensor cores, from sm_80 on. A group of eight warps computes 128 rows by two times 64 columns; operands come in stages of 32 elements of
/// the inner dimension, three of which are in shared memory: one is multiplied while two are on their way. A warp keeps 64 rows by 32 columns in registers.
/// </summary>
/// <remarks>
/// A stage's row is four pieces of 16 bytes, whose places are exchanged (<see cref="Place"/>) so that eight rows of one piece lie in different banks. The two
/// halves of the columns are neighbours, or the two sides of a gated product. Sums are float32.
/// </remarks>
internal static class TensorCoreProduct
{
    public const int GroupSize = 256, GroupsPerProcessor = 2, Rows = 128, Half = 64, Columns = 2 * Half;

    /// <summary>Elements of a piece: copies of whole pieces need everything at multiples of this.</summary>
    public const int Piece = 8;

    private const int Depth = 32, Stages = 3, RowBytes = 2 * Depth, OperandBytes = 128 * RowBytes, StageBytes = 2 * OperandBytes;
    private const int StagedRow = 4 * (Columns + 8), StagedRows = 32; // results on their way out; the gap spreads rows over the banks
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    internal static void Plain<TMatrix, TLoad, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<ushort> entry, ArrayView<ushort> residual, ArrayView<ushort> y, int rows, int columns, int depth, int xPitch,
        int parts, int rowsPerEntry, int entryPitch, int residualPitch, int pitch, float scale)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where E : struct, IElement<ushort> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation
    {
        var finish = new ProductFinish<ushort, E, B, BE, TActivation>(bias, entry, residual, y, parts, rowsPerEntry, entryPitch, residualPitch, pitch, scale);
        Run<TMatrix, TLoad, E, B, BE, TActivation, PlainRows>(new PlainRows(xPitch), finish, x, w, rows, columns, depth, 1);
    }

    internal static void Image<TMatrix, TLoad, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<ushort> entry, ArrayView<ushort> residual, ArrayView<ushort> y, int rows, int columns, int depth, int xPitch,
        int parts, int rowsPerEntry, int entryPitch, int residualPitch, int pitch, float scale,
        int taps, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride, int padding, float rowRatio, float columnRatio)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where E : struct, IElement<ushort> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation
    {
        var finish = new ProductFinish<ushort, E, B, BE, TActivation>(bias, entry, residual, y, parts, rowsPerEntry, entryPitch, residualPitch, pitch, scale);
        var source = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding, rowRatio, columnRatio);
        Run<TMatrix, TLoad, E, B, BE, TActivation, ImageRows>(source, finish, x, w, rows, columns, depth, taps);
    }

    internal static void Gated<TMatrix, TLoad, E, B, BE>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<ushort> y, int rows, int columns, int depth, int xPitch, int parts, int pitch)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where E : struct, IElement<ushort> where B : unmanaged where BE : struct, IElement<B>
    {
        var finish = new ProductFinish<ushort, E, B, BE, Activations.Identity>(bias, y, y, y, parts, 1, 0, 0, pitch, 1f);
        var shared = SharedMemory.Allocate<Word4>(Stages * StageBytes / 16);
        uint window = SharedWindow.Address(ref shared[0]);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Half;
        var sums = Sum<TMatrix, TLoad, PlainRows>(new PlainRows(xPitch), window, x, w, row0, rows, column0, columns + column0, 2 * columns, depth, 1);
        for (int i = 0; i < 4; i++)
        {
            Stage(window, sums.Row(i));
            for (int p = Group.IdxX; p < StagedRows * Half; p += GroupSize)
            {
                int row = ResultRow(row0, i, p / Half), column = column0 + p % Half;
                uint at = window + (uint)(p / Half * StagedRow + p % Half * 4);
                if (row < rows && column < columns) finish.WriteGated(row, column, columns, SharedWindow.Read(at), SharedWindow.Read(at + 4 * Half));
            }
        }
    }

    /// <summary>Bytes, filled up to whole pieces; <paramref name="depth"/> counts pairs of them. Sums are exact and scaled by row and column.</summary>
    internal static void Bytes<T, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<float> rowScales, ArrayView<float> columnScales, ArrayView<B> bias, ArrayView<T> entry, ArrayView<T> residual, ArrayView<T> y,
        int rows, int columns, int depth, int parts, int rowsPerEntry, int entryPitch, int residualPitch, int pitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B> where TActivation : struct, IActivation
    {
        var finish = new ProductFinish<T, E, B, BE, TActivation>(bias, entry, residual, y, parts, rowsPerEntry, entryPitch, residualPitch, pitch, scale);
        var shared = SharedMemory.Allocate<Word4>(Stages * StageBytes / 16);
        uint window = SharedWindow.Address(ref shared[0]);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = Sum<Int8Matrix, AsyncPieces, PlainRows>(new PlainRows(depth), window, x, w, row0, rows, column0, column0 + Half, columns, depth, 1);
        for (int i = 0; i < 4; i++)
        {
            Stage(window, sums.Row(i));
            for (int p = Group.IdxX; p < StagedRows * Columns; p += GroupSize)
            {
                int row = ResultRow(row0, i, p / Columns), column = column0 + p % Columns;
                if (row >= rows || column >= columns) continue;
                int sum = (int)Interop.FloatAsInt(SharedWindow.Read(window + (uint)(p / Columns * StagedRow + p % Columns * 4)));
                finish.Write(row, column, sum * rowScales[row] * columnScales[column]);
            }
        }
    }

    [MethodImpl(Inline)]
    private static void Run<TMatrix, TLoad, E, B, BE, TActivation, TRows>(
        TRows source, ProductFinish<ushort, E, B, BE, TActivation> finish, ArrayView<ushort> x, ArrayView<ushort> w, int rows, int columns, int depth, int taps)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where E : struct, IElement<ushort> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TRows : struct, IRowSource
    {
        var shared = SharedMemory.Allocate<Word4>(Stages * StageBytes / 16);
        uint window = SharedWindow.Address(ref shared[0]);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = Sum<TMatrix, TLoad, TRows>(source, window, x, w, row0, rows, column0, column0 + Half, columns, depth, taps);
        for (int i = 0; i < 4; i++)
        {
            Stage(window, sums.Row(i));
            for (int p = Group.IdxX; p < StagedRows * Columns; p += GroupSize)
            {
                int row = ResultRow(row0, i, p / Columns), column = column0 + p % Columns;
                if (row < rows && column < columns) finish.Write(row, column, SharedWindow.Read(window + (uint)(p / Columns * StagedRow + p % Columns * 4)));
            }
        }
    }

    // Where a stage's operand keeps a piece of a row.
    [MethodImpl(Inline)]
    private static uint Place(int row, int piece) => (uint)(row * RowBytes + ((piece ^ ((row >> 1) & 3)) << 4));

    // Rows of the two halves of warps that are written together.
    [MethodImpl(Inline)]
    private static int ResultRow(int row0, int i, int staged) => row0 + staged / 16 * 64 + 16 * i + staged % 16;

    [MethodImpl(Inline)]
    private static MatrixTile Sum<TMatrix, TLoad, TRows>(
        TRows source, uint window, ArrayView<ushort> x, ArrayView<ushort> w, int row0, int rows, int low0, int high0, int weightRows, int depth, int taps)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where TRows : struct, IRowSource
    {
        int item = Group.IdxX, lane = item & 31, warp = item >> 5, line = item >> 2, piece = item & 3;
        // Rows and columns beyond the end repeat the last one; what comes of them is not written.
        int upper = Math.Min(row0 + line, rows - 1), lower = Math.Min(row0 + line + 64, rows - 1), low = Math.Min(low0 + line, weightRows - 1), high = Math.Min(high0 + line, weightRows - 1);
        uint target = window + Place(line, piece); // 64 rows further on the places are exchanged alike
        int stepsPerTap = (depth + Depth - 1) / Depth, steps = stepsPerTap * taps, nextTap = 0, nextK = 0;
        MatrixTile sums = default;
        uint read = 0, write = 0;

        // The first two turns only load; in the last two there is nothing left to load.
        for (int step = -2; step < steps; step++)
        {
            SharedWindow.WaitForAllButOne();
            Block.Sync(); // the stage to multiply is there for all, and all are done with the one to be overwritten
            if (nextTap < taps)
            {
                int k = nextK + Piece * piece;
                uint to = target + write * StageBytes;
                TLoad.Load(to, x, source.Offset(upper, nextTap), k, depth);
                TLoad.Load(to + 64 * RowBytes, x, source.Offset(lower, nextTap), k, depth);
                TLoad.Load(to + OperandBytes, w, (low * taps + nextTap) * depth, k, depth);
                TLoad.Load(to + OperandBytes + 64 * RowBytes, w, (high * taps + nextTap) * depth, k, depth);
                nextK += Depth;
                bool ends = nextK >= depth;
                nextTap = ends ? nextTap + 1 : nextTap;
                nextK = ends ? 0 : nextK;
                write = write == Stages - 1 ? 0 : write + 1;
            }

            SharedWindow.Commit();
            if (step < 0) continue;
            uint stage = window + read * StageBytes;
            sums = Multiply<TMatrix>(sums, stage, 0, warp, lane);
            sums = Multiply<TMatrix>(sums, stage, 2, warp, lane);
            read = read == Stages - 1 ? 0 : read + 1;
        }

        SharedWindow.WaitForAll();
        return sums;
    }

    // Two pieces of the stage's depth.
    [MethodImpl(Inline)]
    private static MatrixTile Multiply<TMatrix>(MatrixTile sums, uint stage, int piece, int warp, int lane) where TMatrix : struct, IMatrixType
    {
        int row = (warp & 1) * 64 + (lane & 15), left = piece + (lane >> 4);
        int column = (warp >> 1) * 32 + (lane & 7) + (lane >> 4) * 8, right = piece + ((lane >> 3) & 1);
        uint columns = stage + OperandBytes;
        Word4 b01 = MatrixInstructions.Load(columns + Place(column, right)), b23 = MatrixInstructions.Load(columns + Place(column + 16, right));
        sums.R0 = MatrixRow.MultiplyAdd<TMatrix>(sums.R0, MatrixInstructions.Load(stage + Place(row, left)), b01, b23);
        sums.R1 = MatrixRow.MultiplyAdd<TMatrix>(sums.R1, MatrixInstructions.Load(stage + Place(row + 16, left)), b01, b23);
        sums.R2 = MatrixRow.MultiplyAdd<TMatrix>(sums.R2, MatrixInstructions.Load(stage + Place(row + 32, left)), b01, b23);
        sums.R3 = MatrixRow.MultiplyAdd<TMatrix>(sums.R3, MatrixInstructions.Load(stage + Place(row + 48, left)), b01, b23);
        return sums;
    }

    // Through shared memory, so that neighbours write neighbouring columns, and the code of the epilogue exists once.
    [MethodImpl(Inline)]
    private static void Stage(uint window, MatrixRow sums)
    {
        int lane = Group.IdxX & 31, warp = Group.IdxX >> 5;
        uint at = window + (uint)(((warp & 1) * 16 + (lane >> 2)) * StagedRow + ((warp >> 1) * 32 + (lane & 3) * 2) * 4);
        Block.Sync();
        Stage(at, sums.C0);
        Stage(at + 32, sums.C1);
        Stage(at + 64, sums.C2);
        Stage(at + 96, sums.C3);
        Block.Sync();
    }

    [MethodImpl(Inline)]
    private static void Stage(uint at, Float4 sums)
    {
        SharedWindow.StorePair(at, sums.X, sums.Y);
        SharedWindow.StorePair(at + 8 * StagedRow, sums.Z, sums.W);
    }
}
