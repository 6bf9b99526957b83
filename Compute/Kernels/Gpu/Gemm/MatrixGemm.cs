using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// GEMM of 16-bit, TF32 or int8 operands with matrix instructions. A group of 256 computes 128 rows by two times 64 columns: adjacent
/// ones, or value and gate of a gated GEMM. Sums are float32, or int32 for int8. Operands are read as 16-bit words, of which a float32 has
/// two; depths and pitches of operands count these words.
/// </summary>
/// <remarks>Results pass through local memory, so that consecutive work items write consecutive columns and the epilogue's code is emitted
/// once.</remarks>
internal static class MatrixGemm
{
    public const int GroupSize = 256, Rows = 128, Half = 64, Columns = 2 * Half;

    /// <summary>16-bit words of a 16-byte vector: vector copies need depths and offsets that are multiples of this.</summary>
    public const int Piece = 8;

    /// <summary>Rows of a band; four bands make a tile.</summary>
    public const int BandRows = 32, Bands = Rows / BandRows;

    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    internal static void Plain<TUnit, TSums, T, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual,
        ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct where T : unmanaged where E : struct, IElement<T> where B : unmanaged
            where BE : struct, IElement<B> where TActivation : struct, IActivation
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        Run<TUnit, TSums, T, E, B, BE, TActivation, PlainRows>(new PlainRows(xPitch), finish, x, w, rows, columns, depth, 1);
    }

    /// <summary>As <see cref="Plain"/>, with a factor for each column's sums.</summary>
    internal static void Scaled<TUnit, TSums, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<float> columnScales, ArrayView<B> bias, ArrayView<ushort> batchBias,
        ArrayView<ushort> residual, ArrayView<ushort> y, int rows, int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct where E : struct, IElement<ushort> where B : unmanaged
            where BE : struct, IElement<B> where TActivation : struct, IActivation
    {
        var finish = new GpuGemmEpilogue<ushort, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        var local = SharedMemory.Allocate<Word4>(TUnit.LocalPieces);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = TUnit.Sum(new PlainRows(xPitch), local, x, w, row0, rows, column0, column0 + Half, columns, depth, 1);
        for (int i = 0; i < Bands; i++)
        {
            TUnit.Stage(local, sums, i);
            for (int p = Group.IdxX; p < BandRows * Columns; p += GroupSize)
            {
                int row = ResultRow<TUnit, TSums>(row0, i, p / Columns), column = column0 + p % Columns;
                if (row < rows && column < columns)
                    finish.Write(row, column, TUnit.Staged(local, p / Columns, p % Columns) * columnScales[column]);
            }
        }
    }

    internal static void Image<TUnit, TSums, T, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual,
        ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale,
        int positions, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride,
            int padding, float rowRatio, float columnRatio)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct where T : unmanaged where E : struct, IElement<T> where B : unmanaged
            where BE : struct, IElement<B> where TActivation : struct, IActivation
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        var source = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding,
            rowRatio, columnRatio);
        Run<TUnit, TSums, T, E, B, BE, TActivation, ImageRows>(source, finish, x, w, rows, columns, depth, positions);
    }

    internal static void Gated<TUnit, TSums, T, E, B, BE>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<B> bias, ArrayView<T> y, int rows, int columns, int depth, int xPitch,
        int terms, int yPitch)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct where T : unmanaged where E : struct, IElement<T> where B : unmanaged
            where BE : struct, IElement<B>
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, Activations.Identity>(bias, y, y, y, terms, 1, 0, 0, yPitch, 1f);
        var local = SharedMemory.Allocate<Word4>(TUnit.LocalPieces);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Half;
        var sums = TUnit.Sum(new PlainRows(xPitch), local, x, w, row0, rows, column0, columns + column0, 2 * columns, depth, 1);
        for (int i = 0; i < Bands; i++)
        {
            TUnit.Stage(local, sums, i);
            for (int p = Group.IdxX; p < BandRows * Half; p += GroupSize)
            {
                int row = ResultRow<TUnit, TSums>(row0, i, p / Half), column = column0 + p % Half;
                if (row < rows && column < columns)
                    finish.WriteGated(row, column, columns, TUnit.Staged(local, p / Half, p % Half),
                        TUnit.Staged(local, p / Half, p % Half + Half));
            }
        }
    }

    /// <summary>
    /// Int8 operands, padded to whole vectors; <paramref name="depth"/> counts pairs of bytes. Sums are exact and are scaled by row and
    /// column.
    /// </summary>
    internal static void Bytes<TUnit, TSums, T, E, B, BE, TActivation>(
        ArrayView<ushort> x, ArrayView<ushort> w, ArrayView<float> rowScales, ArrayView<float> columnScales, ArrayView<B> bias,
        ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y,
        int rows, int columns, int depth, int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
            where TActivation : struct, IActivation
    {
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        var local = SharedMemory.Allocate<Word4>(TUnit.LocalPieces);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = TUnit.Sum(new PlainRows(depth), local, x, w, row0, rows, column0, column0 + Half, columns, depth, 1);
        for (int i = 0; i < Bands; i++)
        {
            TUnit.Stage(local, sums, i);
            for (int p = Group.IdxX; p < BandRows * Columns; p += GroupSize)
            {
                int row = ResultRow<TUnit, TSums>(row0, i, p / Columns), column = column0 + p % Columns;
                if (row >= rows || column >= columns) continue;
                int sum = (int)Interop.FloatAsInt(TUnit.Staged(local, p / Columns, p % Columns));
                finish.Write(row, column, sum * rowScales[row] * columnScales[column]);
            }
        }
    }

    [MethodImpl(Inline)]
    private static void Run<TUnit, TSums, T, E, B, BE, TActivation, TRows>(
        TRows source, GpuGemmEpilogue<T, E, B, BE, TActivation> finish, ArrayView<ushort> x, ArrayView<ushort> w, int rows,
            int columns, int depth, int positions)
        where TUnit : struct, IMatrixUnit<TSums> where TSums : struct where T : unmanaged where E : struct, IElement<T> where B : unmanaged
            where BE : struct, IElement<B>
        where TActivation : struct, IActivation where TRows : struct, IRowSource
    {
        var local = SharedMemory.Allocate<Word4>(TUnit.LocalPieces);
        int row0 = Grid.IdxX * Rows, column0 = Grid.IdxY * Columns;
        var sums = TUnit.Sum(source, local, x, w, row0, rows, column0, column0 + Half, columns, depth, positions);
        for (int i = 0; i < Bands; i++)
        {
            TUnit.Stage(local, sums, i);
            for (int p = Group.IdxX; p < BandRows * Columns; p += GroupSize)
            {
                int row = ResultRow<TUnit, TSums>(row0, i, p / Columns), column = column0 + p % Columns;
                if (row < rows && column < columns) finish.Write(row, column, TUnit.Staged(local, p / Columns, p % Columns));
            }
        }
    }

    // Each part of the tile has four bands of one instruction's rows; a staged band has one of every part.
    [MethodImpl(Inline)]
    private static int ResultRow<TUnit, TSums>(int row0, int i, int staged) where TUnit : struct, IMatrixUnit<TSums> where TSums : struct =>
        row0 + staged / TUnit.Rows * (Bands * TUnit.Rows) + i * TUnit.Rows + staged % TUnit.Rows;
}
