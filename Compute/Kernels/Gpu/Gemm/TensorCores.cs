using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Tensor cores, from sm_80 on: eight warps. Operands are staged 64 bytes of K at a time in three shared-memory buffers: one is
/// multiplied while two are being loaded. A warp keeps 64 rows by 32 columns of sums in registers.
/// </summary>
/// <remarks>
/// A staged row is four vectors of 16 bytes, swizzled (<see cref="Place"/>) so that eight rows of one vector column are in different banks.
/// </remarks>
internal readonly struct TensorCores<TMatrix, TLoad> : IMatrixUnit<MatrixTile> where TMatrix : struct, IWarpMatrixType
    where TLoad : struct, IPieceLoader
{
    private const int Depth = 32, Stages = 3, RowBytes = 2 * Depth, OperandBytes = 128 * RowBytes, StageBytes = 2 * OperandBytes;
    private const int StagedRow = 4 * (MatrixGemm.Columns + 8); // the gap spreads rows over the banks
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Rows => 16;

    public static int LocalPieces => Stages * StageBytes / 16;

    [MethodImpl(Inline)]
    public static MatrixTile Sum<TRows>(
        TRows source, ArrayView<Word4> local, ArrayView<ushort> x, ArrayView<ushort> w, int row0, int rows, int low0, int high0,
            int weightRows, int depth, int positions)
        where TRows : struct, IRowSource
    {
        uint window = SharedWindow.Address(ref local[0]);
        int item = Group.IdxX, lane = item & 31, warp = item >> 5, line = item >> 2, piece = item & 3;
        // Rows and columns beyond the end repeat the last one; their results are not written.
        int upper = Math.Min(row0 + line, rows - 1), lower = Math.Min(row0 + line + 64, rows - 1),
            low = Math.Min(low0 + line, weightRows - 1), high = Math.Min(high0 + line, weightRows - 1);
        uint target = window + Place(line, piece); // the swizzle repeats after 64 rows
        int stepsPerPosition = (depth + Depth - 1) / Depth, steps = stepsPerPosition * positions, nextPosition = 0, nextK = 0;
        MatrixTile sums = default;
        uint read = 0, write = 0;

        // The first two iterations only load; the last two have nothing left to load.
        for (int step = -2; step < steps; step++)
        {
            SharedWindow.WaitForAllButOne();
            Block.Sync(); // the stage to multiply is visible to all, and all have read the one to be overwritten
            if (nextPosition < positions)
            {
                int k = nextK + MatrixGemm.Piece * piece;
                uint to = target + write * StageBytes;
                TLoad.Load(to, x, source.Offset(upper, nextPosition), k, depth);
                TLoad.Load(to + 64 * RowBytes, x, source.Offset(lower, nextPosition), k, depth);
                TLoad.Load(to + OperandBytes, w, (low * positions + nextPosition) * depth, k, depth);
                TLoad.Load(to + OperandBytes + 64 * RowBytes, w, (high * positions + nextPosition) * depth, k, depth);
                nextK += Depth;
                bool ends = nextK >= depth;
                nextPosition = ends ? nextPosition + 1 : nextPosition;
                nextK = ends ? 0 : nextK;
                write = write == Stages - 1 ? 0 : write + 1;
            }

            SharedWindow.Commit();
            if (step < 0) continue;
            uint stage = window + read * StageBytes;
            sums = Multiply(sums, stage, 0, warp, lane);
            sums = Multiply(sums, stage, 2, warp, lane);
            read = read == Stages - 1 ? 0 : read + 1;
        }

        SharedWindow.WaitForAll();
        return sums;
    }

    // Two vectors along the stage's K.
    [MethodImpl(Inline)]
    private static MatrixTile Multiply(MatrixTile sums, uint stage, int piece, int warp, int lane)
    {
        int row = (warp & 1) * 64 + (lane & 15), left = piece + (lane >> 4);
        int column = (warp >> 1) * 32 + (lane & 7) + (lane >> 4) * 8, right = piece + ((lane >> 3) & 1);
        uint columns = stage + OperandBytes;
        Word4 b01 = Load(columns + Place(column, right)), b23 = Load(columns + Place(column + 16, right));
        sums.R0 = MatrixRow.MultiplyAdd<TMatrix>(sums.R0, Load(stage + Place(row, left)), b01, b23);
        sums.R1 = MatrixRow.MultiplyAdd<TMatrix>(sums.R1, Load(stage + Place(row + 16, left)), b01, b23);
        sums.R2 = MatrixRow.MultiplyAdd<TMatrix>(sums.R2, Load(stage + Place(row + 32, left)), b01, b23);
        sums.R3 = MatrixRow.MultiplyAdd<TMatrix>(sums.R3, Load(stage + Place(row + 48, left)), b01, b23);
        return sums;
    }

    [MethodImpl(Inline)]
    private static Word4 Load(uint address) => TMatrix.Operand(MatrixInstructions.Load(address));

    [MethodImpl(Inline)]
    public static void Stage(ArrayView<Word4> local, MatrixTile sums, int i)
    {
        var band = sums.Row(i);
        int lane = Group.IdxX & 31, warp = Group.IdxX >> 5;
        uint at = SharedWindow.Address(ref local[0])
            + (uint)(((warp & 1) * 16 + (lane >> 2)) * StagedRow + ((warp >> 1) * 32 + (lane & 3) * 2) * 4);
        Block.Sync();
        Stage(at, band.C0);
        Stage(at + 32, band.C1);
        Stage(at + 64, band.C2);
        Stage(at + 96, band.C3);
        Block.Sync();
    }

    [MethodImpl(Inline)]
    public static float Staged(ArrayView<Word4> local, int row, int column) =>
        SharedWindow.Read(SharedWindow.Address(ref local[0]) + (uint)(row * StagedRow + column * 4));

    // Swizzled index of a row's vector in a staged operand.
    [MethodImpl(Inline)]
    private static uint Place(int row, int piece) => (uint)(row * RowBytes + ((piece ^ ((row >> 1) & 3)) << 4));

    [MethodImpl(Inline)]
    private static void Stage(uint at, Float4 sums)
    {
        SharedWindow.StorePair(at, sums.X, sums.Y);
        SharedWindow.StorePair(at + 8 * StagedRow, sums.Z, sums.W);
    }
}
