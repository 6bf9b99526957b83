using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention of 16-bit heads of up to 64 elements on tensor cores, from sm_80 on: four warps with 16 queries each process 64 keys at a
/// time, as <see cref="TiledAttention"/> does, while the next keys and values are being loaded. Logits stay in registers, where they become
/// the left operand of the second multiplication.
/// </summary>
/// <remarks>
/// Weights are rounded to 16 bits, or multiplied as a hi/lo split (<see cref="IWeightParts"/>); their sum is of the exact ones. A lane has
/// rows lane / 4 and lane / 4 + 8 of its warp; the four lanes of a row exchange maxima and sums.
/// </remarks>
internal static class TensorCoreAttention
{
    public const int GroupSize = 128, GroupsPerProcessor = 2, Queries = 64, MostDepth = 64;
    private const int Keys = 64, RowBytes = 2 * MostDepth, TileBytes = Keys * RowBytes;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    internal static void Kernel<TMatrix, TLoad, E, TParts>(
        ArrayView<ushort> q, ArrayView<ushort> k, ArrayView<ushort> v, ArrayView<float> mask, ArrayView<ushort> y, int queries, int keys,
            int depth, int valueDepth,
        int qPitch, int kPitch, int vPitch, int yPitch, int masked, int maskBatch, int maskHead, int maskQuery, int causal, float scale)
        where TMatrix : struct, IMatrixType where TLoad : struct, IPieceLoader where E : struct, IElement<ushort>
            where TParts : struct, IWeightParts
    {
        var shared = SharedMemory.Allocate<Word4>(5 * TileBytes / 16);
        uint window = SharedWindow.Address(ref shared[0]), now = window + TileBytes, next = window + 3 * TileBytes;
        int lane = Group.IdxX & 31, row = (Group.IdxX >> 5) * 16, head = Grid.IdxY, batch = Grid.IdxZ, query0 = Grid.IdxX * Queries;
        int qStart = batch * queries * qPitch + head * depth, kStart = batch * keys * kPitch + head * depth,
            vStart = batch * keys * vPitch + head * valueDepth;
        int top = query0 + row + (lane >> 2), maskStart = batch * maskBatch + head * maskHead;
        int maskTop = maskStart + Math.Min(top, queries - 1) * maskQuery,
            maskBottom = maskStart + Math.Min(top + 8, queries - 1) * maskQuery;
        int visible = causal != 0 ? Math.Min(keys, query0 + Queries) : keys;
        LoadTile<TLoad>(window, q, qStart, qPitch, query0, queries, depth);
        LoadTile<TLoad>(now, k, kStart, kPitch, 0, keys, depth);
        LoadTile<TLoad>(now + TileBytes, v, vStart, vPitch, 0, keys, valueDepth);
        SharedWindow.Commit();
        SharedWindow.WaitForAll();
        Block.Sync();
        int left = lane >> 4, from = row + (lane & 15);
        Word4 q0 = MatrixInstructions.Load(window + Place(from, left)), q1 = MatrixInstructions.Load(window + Place(from, left + 2));
        Word4 q2 = MatrixInstructions.Load(window + Place(from, left + 4)), q3 = MatrixInstructions.Load(window + Place(from, left + 6));
        AttentionRows result = default;
        // finite, so that a row of −∞ gives weights of 0
        float largestTop = float.MinValue, largestBottom = float.MinValue, sumTop = 0f, sumBottom = 0f;
        for (int key0 = 0; key0 < visible; key0 += Keys)
        {
            SharedWindow.WaitForAll();
            Block.Sync(); // keys and values are visible to all, and all have read those to be overwritten
            if (key0 + Keys < visible)
            {
                LoadTile<TLoad>(next, k, kStart, kPitch, key0 + Keys, keys, depth);
                LoadTile<TLoad>(next + TileBytes, v, vStart, vPitch, key0 + Keys, keys, valueDepth);
            }

            SharedWindow.Commit();
            AttentionRows logits = default;
            logits = Products<TMatrix>(logits, q0, now, 0, lane);
            logits = Products<TMatrix>(logits, q1, now, 2, lane);
            logits = Products<TMatrix>(logits, q2, now, 4, lane);
            logits = Products<TMatrix>(logits, q3, now, 6, lane);
            int key = key0 + (lane & 3) * 2;
            logits = logits.Scaled(scale, scale);
            if (masked != 0) logits = logits.Masked(mask, maskTop, maskBottom, key, keys);
            int lastTop = causal != 0 ? Math.Min(top, keys - 1) : keys - 1,
                lastBottom = causal != 0 ? Math.Min(top + 8, keys - 1) : keys - 1;
            logits = logits.Hidden(key, lastTop, lastBottom);
            float mostTop = OfRow(logits.LargestTop(largestTop)), mostBottom = OfRow(logits.LargestBottom(largestBottom));
            float factorTop = DeviceMath.Exp2((largestTop - mostTop) * Log2E),
                factorBottom = DeviceMath.Exp2((largestBottom - mostBottom) * Log2E);
            (largestTop, largestBottom) = (mostTop, mostBottom);
            logits = logits.Weights(mostTop, mostBottom);
            sumTop = sumTop * factorTop + logits.SumTop();
            sumBottom = sumBottom * factorBottom + logits.SumBottom();
            result = result.Scaled(factorTop, factorBottom);
            uint values = now + TileBytes;
            result = Values<TMatrix, E, TParts>(result, logits.Low.C0, logits.Low.C1, values, 0, lane);
            result = Values<TMatrix, E, TParts>(result, logits.Low.C2, logits.Low.C3, values, 16, lane);
            result = Values<TMatrix, E, TParts>(result, logits.High.C0, logits.High.C1, values, 32, lane);
            result = Values<TMatrix, E, TParts>(result, logits.High.C2, logits.High.C3, values, 48, lane);
            uint other = now;
            now = next;
            next = other;
        }

        sumTop += SubGroup.Exchange(sumTop, 1);
        sumTop += SubGroup.Exchange(sumTop, 2);
        sumBottom += SubGroup.Exchange(sumBottom, 1);
        sumBottom += SubGroup.Exchange(sumBottom, 2);
        result = result.Scaled(sumTop > 0f ? 1f / sumTop : 0f, sumBottom > 0f ? 1f / sumBottom : 0f);
        int column = (lane & 3) * 2, at = (batch * queries + top) * yPitch + head * valueDepth + column;
        Write<E>(y, at, column, valueDepth, top < queries, result.Low.C0.X, result.Low.C0.Y, result.Low.C1.X, result.Low.C1.Y);
        Write<E>(y, at + 16, column + 16, valueDepth, top < queries, result.Low.C2.X, result.Low.C2.Y, result.Low.C3.X, result.Low.C3.Y);
        Write<E>(y, at + 32, column + 32, valueDepth, top < queries, result.High.C0.X, result.High.C0.Y, result.High.C1.X,
            result.High.C1.Y);
        Write<E>(y, at + 48, column + 48, valueDepth, top < queries, result.High.C2.X, result.High.C2.Y, result.High.C3.X,
            result.High.C3.Y);
        at += 8 * yPitch;
        Write<E>(y, at, column, valueDepth, top + 8 < queries, result.Low.C0.Z, result.Low.C0.W, result.Low.C1.Z, result.Low.C1.W);
        Write<E>(y, at + 16, column + 16, valueDepth, top + 8 < queries, result.Low.C2.Z, result.Low.C2.W, result.Low.C3.Z,
            result.Low.C3.W);
        Write<E>(y, at + 32, column + 32, valueDepth, top + 8 < queries, result.High.C0.Z, result.High.C0.W, result.High.C1.Z,
            result.High.C1.W);
        Write<E>(y, at + 48, column + 48, valueDepth, top + 8 < queries, result.High.C2.Z, result.High.C2.W, result.High.C3.Z,
            result.High.C3.W);
    }

    // Swizzled index of a row's vector in a tile of 64 rows: eight rows of one vector column are in different banks.
    [MethodImpl(Inline)]
    private static uint Place(int row, int piece) => (uint)(row * RowBytes + ((piece ^ (row & 7)) << 4));

    // Rows of a tile past the last one are zero.
    [MethodImpl(Inline)]
    private static void LoadTile<TLoad>(uint target, ArrayView<ushort> source, int start, int pitch, int first, int count, int depth)
        where TLoad : struct, IPieceLoader
    {
        int line = Group.IdxX >> 3, piece = Group.IdxX & 7;
        for (int i = 0; i < Keys; i += GroupSize / 8)
        {
            int row = first + line + i;
            TLoad.Load(target + Place(line + i, piece), source, row < count ? start + row * pitch : -1, 8 * piece, depth);
        }
    }

    // 16 queries by 64 keys, two vectors of their depth.
    [MethodImpl(Inline)]
    private static AttentionRows Products<TMatrix>(AttentionRows logits, Word4 queries, uint keys, int piece, int lane)
        where TMatrix : struct, IMatrixType
    {
        int row = (lane & 7) + (lane >> 4) * 8, right = piece + ((lane >> 3) & 1);
        logits.Low = MatrixRow.MultiplyAdd<TMatrix>(logits.Low, queries, MatrixInstructions.Load(keys + Place(row, right)),
            MatrixInstructions.Load(keys + Place(row + 16, right)));
        logits.High = MatrixRow.MultiplyAdd<TMatrix>(logits.High, queries, MatrixInstructions.Load(keys + Place(row + 32, right)),
            MatrixInstructions.Load(keys + Place(row + 48, right)));
        return logits;
    }

    // 16 keys: the sums of two logit matrices are already in the register layout of the next left operand.
    [MethodImpl(Inline)]
    private static AttentionRows Values<TMatrix, E, TParts>(AttentionRows sums, Float4 first, Float4 second, uint values, int key,
        int lane)
        where TMatrix : struct, IMatrixType where E : struct, IElement<ushort> where TParts : struct, IWeightParts
    {
        int row = key + (lane & 15), piece = lane >> 4;
        Word4 v01 = MatrixInstructions.LoadTransposed(values + Place(row, piece)),
            v23 = MatrixInstructions.LoadTransposed(values + Place(row, piece + 2));
        Word4 v45 = MatrixInstructions.LoadTransposed(values + Place(row, piece + 4)),
            v67 = MatrixInstructions.LoadTransposed(values + Place(row, piece + 6));
        Word4 weights = HiLoSplit.Packed<E>(first, second);
        sums = Multiplied<TMatrix>(sums, weights, v01, v23, v45, v67);
        if (!TParts.Exact) return sums;
        (first, second) = (HiLoSplit.Rest<E>(first, weights.X, weights.Y), HiLoSplit.Rest<E>(second, weights.Z, weights.W));
        weights = HiLoSplit.Packed<E>(first, second);
        sums = Multiplied<TMatrix>(sums, weights, v01, v23, v45, v67);
        if (!TMatrix.IsCoarse) return sums;
        (first, second) = (HiLoSplit.Rest<E>(first, weights.X, weights.Y), HiLoSplit.Rest<E>(second, weights.Z, weights.W));
        return Multiplied<TMatrix>(sums, HiLoSplit.Packed<E>(first, second), v01, v23, v45, v67);
    }

    [MethodImpl(Inline)]
    private static AttentionRows Multiplied<TMatrix>(AttentionRows sums, Word4 weights, Word4 v01, Word4 v23, Word4 v45, Word4 v67)
        where TMatrix : struct, IMatrixType
    {
        sums.Low = MatrixRow.MultiplyAdd<TMatrix>(sums.Low, weights, v01, v23);
        sums.High = MatrixRow.MultiplyAdd<TMatrix>(sums.High, weights, v45, v67);
        return sums;
    }

    // Maximum over the four lanes that share a row.
    [MethodImpl(Inline)]
    private static float OfRow(float value)
    {
        float other = SubGroup.Exchange(value, 1);
        value = other > value ? other : value;
        other = SubGroup.Exchange(value, 2);
        return other > value ? other : value;
    }

    // Two adjacent columns, and two more eight columns further on.
    [MethodImpl(Inline)]
    private static void Write<E>(ArrayView<ushort> y, int at, int column, int columns, bool inside, float v0, float v1, float v8, float v9)
        where E : struct, IElement<ushort>
    {
        if (!inside) return;
        if (column < columns) y[at] = E.Narrow(v0);
        if (column + 1 < columns) y[at + 1] = E.Narrow(v1);
        if (column + 8 < columns) y[at + 8] = E.Narrow(v8);
        if (column + 9 < columns) y[at + 9] = E.Narrow(v9);
    }
}
