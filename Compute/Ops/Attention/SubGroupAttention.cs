using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention with 16-bit operands and matrix instructions of any layout, for OpenCL sub-groups and for heads that are too large for
/// <see cref="TensorCoreAttention"/>: a group of 256 computes 64 queries of a head by 64 columns of the values, and processes 64 keys at a
/// time, as <see cref="TiledAttention"/> does. Wider values take several groups, each of which computes the logits.
/// </summary>
/// <remarks>
/// A sub-group has two adjacent matrices of the logits, and the same two of the results; in between, a work item has sixteen keys of one
/// row. Values change layout through local memory, so that no lane exchange is needed, which such devices may lack. Weights are rounded to
/// 16 bits, or multiplied as a hi/lo split (<see cref="IWeightParts"/>); their sum is of the exact ones.
/// </remarks>
internal static class SubGroupAttention
{
    public const int GroupSize = 256, Queries = 64, Columns = 64;

    /// <summary>Local memory of a group.</summary>
    public const int LocalBytes = 5 * Tile * 16 + (GroupSize + Queries) * sizeof(float);

    // Tiles of 64 rows by 64 elements, nine vectors of 16 bytes per row. Logits use two tiles, which the first two parts of the hi/lo split
    // then reuse; the third part reuses the keys' tile.
    private const int Keys = 64, Depth = 64, Pitch = Depth / MatrixGemm.Piece + 1, Tile = 64 * Pitch, KeyTile = Tile, ValueTile = 2 * Tile,
        LogitTiles = 3 * Tile;
    private const int LogitPitch = 2 * 4 * Pitch, ElementPitch = MatrixGemm.Piece * Pitch;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    internal static void Kernel<TLayout, TMatrix, TLoad, E, TParts>(
        ArrayView<ushort> q, ArrayView<ushort> k, ArrayView<ushort> v, ArrayView<float> mask, ArrayView<ushort> y, int queries, int keys,
            int depth, int valueDepth, int columnGroups,
        int qPitch, int kPitch, int vPitch, int yPitch, int masked, int maskBatch, int maskHead, int maskQuery, int causal, float scale)
        where TLayout : struct, IMatrixLayout where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader
            where E : struct, IElement<ushort> where TParts : struct, IWeightParts
    {
        var local = SharedMemory.Allocate<Word4>(5 * Tile);
        var partial = SharedMemory.Allocate<float>(GroupSize);
        var factors = SharedMemory.Allocate<float>(Queries);
        int item = Group.IdxX, line = item >> 2, quarter = item & 3, lane = SubGroup.Lane(), part = SubGroup.Number();
        int across = Columns / (2 * TLayout.Columns), band = part / across * TLayout.Rows, column = part % across * (2 * TLayout.Columns);
        int head = Grid.IdxY / columnGroups, column0 = Grid.IdxY % columnGroups * Columns, batch = Grid.IdxZ, query0 = Grid.IdxX * Queries;
        int query = Math.Min(query0 + line, queries - 1), qRow = (batch * queries + query) * qPitch + head * depth;
        int kStart = batch * keys * kPitch + head * depth, vStart = batch * keys * vPitch + head * valueDepth,
            maskRow = batch * maskBatch + head * maskHead + query * maskQuery;
        int visible = causal != 0 ? Math.Min(keys, query0 + Queries) : keys, last = causal != 0 ? Math.Min(query, keys - 1) : keys - 1;
        float largest = float.MinValue, sum = 0f; // finite, so that a row of −∞ gives weights of 0
        SubGroupBand result = default;
        for (int key0 = 0; key0 < visible; key0 += Keys)
        {
            // Consecutive work items have consecutive keys of the values, which are adjacent after the transpose.
            int valueKey = key0 + (item & 63), valuePiece = item >> 6, vRow = valueKey < keys ? vStart + valueKey * vPitch : -1;
            Word4 value0 = TLoad.Fetch(v, vRow, column0 + MatrixGemm.Piece * valuePiece, valueDepth);
            Word4 value1 = TLoad.Fetch(v, vRow, column0 + MatrixGemm.Piece * valuePiece + 32, valueDepth);
            int kRow = key0 + line < keys ? kStart + (key0 + line) * kPitch : -1;
            SubGroupBand logits = default;
            for (int d = 0; d < depth; d += Depth)
            {
                int from = d + MatrixGemm.Piece * quarter;
                Word4 key = TLoad.Fetch(k, kRow, from, depth), furtherKey = TLoad.Fetch(k, kRow, from + 32, depth);
                Word4 own = TLoad.Fetch(q, qRow, from, depth), furtherOwn = TLoad.Fetch(q, qRow, from + 32, depth);
                Block.Sync(); // all work items have read the previous step
                int at = line * Pitch + quarter;
                local[at] = own;
                local[at + 4] = furtherOwn;
                local[KeyTile + at] = key;
                local[KeyTile + at + 4] = furtherKey;
                Block.Sync();
                for (int piece = 0; piece < Depth / MatrixGemm.Piece; piece += 2)
                    logits = Multiply<TLayout, TMatrix>(logits, local, band * Pitch + piece, KeyTile + column * Pitch + piece, lane);
            }

            PutSums<TLayout>(local.Cast<float>(), 4 * LogitTiles + band * LogitPitch + column, logits, lane);
            PutTransposed(local.Cast<ushort>(), MatrixGemm.Piece * (ValueTile + valuePiece * ElementPitch) + (item & 63), value0);
            PutTransposed(local.Cast<ushort>(), MatrixGemm.Piece * (ValueTile + (valuePiece + 4) * ElementPitch) + (item & 63), value1);
            Block.Sync();
            var rows = local.Cast<Float4>();
            int row = LogitTiles + line * (2 * Pitch) + 4 * quarter, firstKey = key0 + 16 * quarter;
            Float4 w0 = Logits(rows[row], scale, mask, masked, maskRow, firstKey, last),
                w1 = Logits(rows[row + 1], scale, mask, masked, maskRow, firstKey + 4, last);
            Float4 w2 = Logits(rows[row + 2], scale, mask, masked, maskRow, firstKey + 8, last),
                w3 = Logits(rows[row + 3], scale, mask, masked, maskRow, firstKey + 12, last);
            partial[item] = Larger(Larger(Larger(Largest(w0), Largest(w1)), Larger(Largest(w2), Largest(w3))), largest);
            Block.Sync();
            float most = Larger(Larger(partial[4 * line], partial[4 * line + 1]), Larger(partial[4 * line + 2], partial[4 * line + 3]));
            float factor = DeviceMath.Exp2((largest - most) * Log2E);
            largest = most;
            (w0, w1, w2, w3) = (Weights(w0, most), Weights(w1, most), Weights(w2, most), Weights(w3, most));
            sum = sum * factor + (w0.Total + w1.Total + (w2.Total + w3.Total));
            factors[line] = factor; // all four work items of a row write the same value
            PutWeights<TMatrix, E, TParts>(local, line * Pitch + 2 * quarter, w0, w1);
            PutWeights<TMatrix, E, TParts>(local, line * Pitch + 2 * quarter + 1, w2, w3);
            Block.Sync();
            result = Scaled<TLayout>(result, factors, band, lane);
            for (int piece = 0; piece < Keys / MatrixGemm.Piece; piece += 2)
            {
                int weights = band * Pitch + piece, values = ValueTile + column * Pitch + piece;
                result = Multiply<TLayout, TMatrix>(result, local, LogitTiles + weights, values, lane);
                if (TParts.Exact) result = Multiply<TLayout, TMatrix>(result, local, LogitTiles + Tile + weights, values, lane);
                if (TParts.Exact && TMatrix.IsCoarse) result = Multiply<TLayout, TMatrix>(result, local, KeyTile + weights, values, lane);
            }
        }

        Block.Sync();
        partial[item] = sum;
        var sums = local.Cast<float>();
        PutSums<TLayout>(sums, 4 * LogitTiles + band * LogitPitch + column, result, lane);
        Block.Sync();
        for (int p = item; p < Queries * Columns; p += GroupSize)
        {
            int row = p / Columns, to = column0 + p % Columns;
            float total = partial[4 * row] + partial[4 * row + 1] + (partial[4 * row + 2] + partial[4 * row + 3]);
            float inverse = total > 0f ? 1f / total : 0f;
            if (query0 + row < queries && to < valueDepth)
                y[(batch * queries + query0 + row) * yPitch + head * valueDepth + to] =
                    E.Narrow(sums[4 * LogitTiles + row * LogitPitch + p % Columns] * inverse);
        }
    }

    [MethodImpl(Inline)]
    private static SubGroupBand Multiply<TLayout, TMatrix>(SubGroupBand sums, ArrayView<Word4> local, int left, int right, int lane)
        where TLayout : struct, IMatrixLayout where TMatrix : struct, IMatrixType =>
        SubGroupBand.MultiplyAdd<TMatrix>(
            sums, TLayout.ReadLeft(local, left, Pitch, lane), TLayout.ReadRight(local, right, Pitch, lane),
                TLayout.ReadRight(local, right + TLayout.Columns * Pitch, Pitch, lane));

    [MethodImpl(Inline)]
    private static void PutSums<TLayout>(ArrayView<float> target, int at, SubGroupBand sums, int lane) where TLayout : struct, IMatrixLayout
    {
        SubGroupSums.Put<TLayout>(target, at, LogitPitch, sums.C0, lane);
        SubGroupSums.Put<TLayout>(target, at + TLayout.Columns, LogitPitch, sums.C1, lane);
    }

    // Eight values of one key: each goes to the row of its column.
    [MethodImpl(Inline)]
    private static void PutTransposed(ArrayView<ushort> target, int at, Word4 values)
    {
        target[at] = (ushort)values.X;
        target[at + ElementPitch] = (ushort)(values.X >> 16);
        target[at + 2 * ElementPitch] = (ushort)values.Y;
        target[at + 3 * ElementPitch] = (ushort)(values.Y >> 16);
        target[at + 4 * ElementPitch] = (ushort)values.Z;
        target[at + 5 * ElementPitch] = (ushort)(values.Z >> 16);
        target[at + 6 * ElementPitch] = (ushort)values.W;
        target[at + 7 * ElementPitch] = (ushort)(values.W >> 16);
    }

    [MethodImpl(Inline)]
    private static void PutWeights<TMatrix, E, TParts>(ArrayView<Word4> local, int at, Float4 first, Float4 second)
        where TMatrix : struct, IMatrixType where E : struct, IElement<ushort> where TParts : struct, IWeightParts
    {
        Word4 weights = HiLoSplit.Packed<E>(first, second);
        local[LogitTiles + at] = weights;
        if (!TParts.Exact) return;
        (first, second) = (HiLoSplit.Rest<E>(first, weights.X, weights.Y), HiLoSplit.Rest<E>(second, weights.Z, weights.W));
        weights = HiLoSplit.Packed<E>(first, second);
        local[LogitTiles + Tile + at] = weights;
        if (!TMatrix.IsCoarse) return;
        (first, second) = (HiLoSplit.Rest<E>(first, weights.X, weights.Y), HiLoSplit.Rest<E>(second, weights.Z, weights.W));
        local[KeyTile + at] = HiLoSplit.Packed<E>(first, second);
    }

    [MethodImpl(Inline)]
    private static SubGroupBand Scaled<TLayout>(SubGroupBand sums, ArrayView<float> factors, int band, int lane)
        where TLayout : struct, IMatrixLayout
    {
        var rows = new Float8
        {
            A = factors[band + TLayout.SumRow(lane, 0)],
            B = factors[band + TLayout.SumRow(lane, 1)],
            C = factors[band + TLayout.SumRow(lane, 2)],
            D = factors[band + TLayout.SumRow(lane, 3)],
            E = factors[band + TLayout.SumRow(lane, 4)],
            F = factors[band + TLayout.SumRow(lane, 5)],
            G = factors[band + TLayout.SumRow(lane, 6)],
            H = factors[band + TLayout.SumRow(lane, 7)],
        };
        return new() { C0 = sums.C0 * rows, C1 = sums.C1 * rows };
    }

    // Four keys' logits; −∞ past the last visible key.
    [MethodImpl(Inline)]
    private static Float4 Logits(Float4 products, float scale, ArrayView<float> mask, int masked, int maskRow, int key, int last)
    {
        Float4 logits = new(products.X * scale, products.Y * scale, products.Z * scale, products.W * scale);
        if (masked != 0)
        {
            int at = maskRow + key, end = maskRow + last; // keys past the last one are masked anyway
            logits += new Float4(mask[Math.Min(at, end)], mask[Math.Min(at + 1, end)], mask[Math.Min(at + 2, end)],
                mask[Math.Min(at + 3, end)]);
        }

        float nothing = Interop.IntAsFloat(0xFF800000u);
        return new(key <= last ? logits.X : nothing, key + 1 <= last ? logits.Y : nothing, key + 2 <= last ? logits.Z : nothing,
            key + 3 <= last ? logits.W : nothing);
    }

    [MethodImpl(Inline)]
    private static Float4 Weights(Float4 logits, float most) => new(
        DeviceMath.Exp2((logits.X - most) * Log2E), DeviceMath.Exp2((logits.Y - most) * Log2E), DeviceMath.Exp2((logits.Z - most) * Log2E),
            DeviceMath.Exp2((logits.W - most) * Log2E));

    [MethodImpl(Inline)]
    private static float Largest(Float4 a) => Larger(Larger(a.X, a.Y), Larger(a.Z, a.W));
}
