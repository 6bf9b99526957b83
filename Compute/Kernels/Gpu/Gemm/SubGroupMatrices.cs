using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Matrix instructions of OpenCL sub-groups. Operands pass through local memory, 32 elements of K at a time, while the next step's are
/// being loaded. A sub-group keeps four by two matrices of sums: for every matrix layout, a group of 256 then covers 128 rows by 128
/// columns.
/// </summary>
/// <remarks>A staged row is four vectors of 16 bytes and a gap of one, so that eight rows of one vector column are in different
/// banks.</remarks>
internal readonly struct SubGroupMatrices<TLayout, TMatrix, TLoad> : IMatrixUnit<SubGroupTile>
    where TLayout : struct, IMatrixLayout where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader
{
    private const int Depth = 32, Pitch = Depth / MatrixGemm.Piece + 1, Right = MatrixGemm.Rows * Pitch, HalfRows = 64 * Pitch;
    private const int StagedPitch = MatrixGemm.Columns + 8; // floats; less than the operands take
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Rows => TLayout.Rows;

    public static int LocalPieces => (MatrixGemm.Rows + MatrixGemm.Columns) * Pitch;

    // Sub-groups along the tile's columns.
    private static int Across => MatrixGemm.Columns / (2 * TLayout.Columns);

    [MethodImpl(Inline)]
    public static SubGroupTile Sum<TRows>(
        TRows source, ArrayView<Word4> local, ArrayView<ushort> x, ArrayView<ushort> w, int row0, int rows, int low0, int high0,
            int weightRows, int depth, int positions)
        where TRows : struct, IRowSource
    {
        int line = Group.IdxX >> 2, piece = Group.IdxX & 3, lane = SubGroup.Lane(), part = SubGroup.Number();
        // Rows and columns beyond the end repeat the last one; their results are not written.
        int upper = Math.Min(row0 + line, rows - 1), lower = Math.Min(row0 + line + 64, rows - 1),
            low = Math.Min(low0 + line, weightRows - 1), high = Math.Min(high0 + line, weightRows - 1);
        int at = line * Pitch + piece, left = part / Across * (MatrixGemm.Bands * TLayout.Rows * Pitch),
            right = Right + part % Across * (2 * TLayout.Columns * Pitch);
        int first = MatrixGemm.Piece * piece, steps = (depth + Depth - 1) / Depth * positions, position = 0, k = first;
        Word4 fromUpper = TLoad.Fetch(x, source.Offset(upper, 0), k, depth), fromLower = TLoad.Fetch(x, source.Offset(lower, 0), k, depth);
        Word4 fromLow = TLoad.Fetch(w, low * positions * depth, k, depth), fromHigh = TLoad.Fetch(w, high * positions * depth, k, depth);
        SubGroupTile sums = default;
        for (int step = 0; step < steps; step++)
        {
            Block.Sync(); // all work items have read the previous step
            local[at] = fromUpper;
            local[at + HalfRows] = fromLower;
            local[at + Right] = fromLow;
            local[at + Right + HalfRows] = fromHigh;
            Block.Sync();
            k += Depth;
            bool ends = k - first >= depth;
            position = ends ? position + 1 : position;
            k = ends ? first : k;
            if (step + 1 < steps) // loads of the next step overlap this step's arithmetic
            {
                fromUpper = TLoad.Fetch(x, source.Offset(upper, position), k, depth);
                fromLower = TLoad.Fetch(x, source.Offset(lower, position), k, depth);
                fromLow = TLoad.Fetch(w, (low * positions + position) * depth, k, depth);
                fromHigh = TLoad.Fetch(w, (high * positions + position) * depth, k, depth);
            }

            sums = Multiply(sums, local, left, right, lane);
            sums = Multiply(sums, local, left + 2, right + 2, lane);
        }

        return sums;
    }

    // Two vectors along K.
    [MethodImpl(Inline)]
    private static SubGroupTile Multiply(SubGroupTile sums, ArrayView<Word4> local, int left, int right, int lane)
    {
        int below = TLayout.Rows * Pitch;
        Word8 b0 = TLayout.ReadRight(local, right, Pitch, lane),
            b1 = TLayout.ReadRight(local, right + TLayout.Columns * Pitch, Pitch, lane);
        sums.R0 = SubGroupBand.MultiplyAdd<TMatrix>(sums.R0, TLayout.ReadLeft(local, left, Pitch, lane), b0, b1);
        sums.R1 = SubGroupBand.MultiplyAdd<TMatrix>(sums.R1, TLayout.ReadLeft(local, left + below, Pitch, lane), b0, b1);
        sums.R2 = SubGroupBand.MultiplyAdd<TMatrix>(sums.R2, TLayout.ReadLeft(local, left + 2 * below, Pitch, lane), b0, b1);
        sums.R3 = SubGroupBand.MultiplyAdd<TMatrix>(sums.R3, TLayout.ReadLeft(local, left + 3 * below, Pitch, lane), b0, b1);
        return sums;
    }

    [MethodImpl(Inline)]
    public static void Stage(ArrayView<Word4> local, SubGroupTile sums, int i)
    {
        var band = sums.Band(i);
        int lane = SubGroup.Lane(), part = SubGroup.Number();
        int at = part / Across * TLayout.Rows * StagedPitch + part % Across * (2 * TLayout.Columns);
        var staged = local.Cast<float>();
        Block.Sync();
        SubGroupSums.Put<TLayout>(staged, at, StagedPitch, band.C0, lane);
        SubGroupSums.Put<TLayout>(staged, at + TLayout.Columns, StagedPitch, band.C1, lane);
        Block.Sync();
    }

    [MethodImpl(Inline)]
    public static float Staged(ArrayView<Word4> local, int row, int column) => local.Cast<float>()[row * StagedPitch + column];
}
