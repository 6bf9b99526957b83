using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention on GPUs without matrix instructions: a group of 256 computes 64 queries of a head by 64 columns of the values, and processes
/// 64 keys at a time with an online softmax (Milakov and Gimelshein, arXiv:1805.02867), so that no matrix of queries × keys exists. Wider
/// values take several groups, each of which computes the logits.
/// </summary>
/// <remarks>A work item has rows ty, ty + 16, … and columns tx, tx + 16, … of both multiplications, and in between a quarter of the keys of
/// one row. Needs 29 KB of local memory.</remarks>
internal static class TiledAttention
{
    public const int GroupSize = 256, Queries = 64, Columns = 64;

    /// <summary>Local memory of a group.</summary>
    public const int LocalBytes = (2 * Queries * Stride + Queries * WeightStride) * 16 + (GroupSize + Queries) * sizeof(float);

    // Float4 from one staged row to the next, and from one of a work item's rows to its next
    private const int Keys = 64, Depth = 16, Stride = Depth / 4 + 1, Step = 16 * Stride;
    private const int ValueKeys = 32, ValueStride = ValueKeys / 4 + 1, ValueStep = 16 * ValueStride;
    private const int WeightStride = Keys / 4 + 1, WeightStep = 16 * WeightStride, WeightPitch = 4 * WeightStride;

    internal static void Kernel<T, E>(
        ArrayView<T> q, ArrayView<T> k, ArrayView<T> v, ArrayView<float> mask, ArrayView<T> y, int queries, int keys, int depth,
            int valueDepth, int columnGroups,
        int qPitch, int kPitch, int vPitch, int yPitch, int masked, int maskBatch, int maskHead, int maskQuery, int causal, float scale)
        where T : unmanaged where E : struct, IElement<T>
    {
        var staged = SharedMemory.Allocate<Float4>(2 * Queries * Stride);
        var weights = SharedMemory.Allocate<Float4>(Queries * WeightStride);
        var partial = SharedMemory.Allocate<float>(GroupSize);
        var factors = SharedMemory.Allocate<float>(Queries);
        var logits = weights.Cast<float>();

        int item = Group.IdxX, tx = item % 16, ty = item / 16, line = item / 4, quarter = item % 4;
        int head = Grid.IdxY / columnGroups, column0 = Grid.IdxY % columnGroups * Columns, batch = Grid.IdxZ, query0 = Grid.IdxX * Queries;
        int qRow = (batch * queries + Math.Min(query0 + line, queries - 1)) * qPitch + head * depth;
        int ownQuery = Math.Min(query0 + line, queries - 1), maskRow = batch * maskBatch + head * maskHead + ownQuery * maskQuery;
        int visible = causal != 0 ? Math.Min(keys, query0 + Queries) : keys;
        float largest = float.MinValue, sum = 0f; // finite, so that a row of −∞ gives weights of 0
        Tile4x4 result = default;
        for (int key0 = 0; key0 < visible; key0 += Keys)
        {
            Tile4x4 products = default;
            int kRow = (batch * keys + Math.Min(key0 + line, keys - 1)) * kPitch + head * depth;
            for (int d = 0; d < depth; d += Depth)
            {
                Float4 left = Load<T, E>(q, qRow, d + 4 * quarter, depth), right = Load<T, E>(k, kRow, d + 4 * quarter, depth);
                Block.Sync();
                staged[line * Stride + quarter] = left;
                staged[(Queries + line) * Stride + quarter] = right;
                Block.Sync();
                products = Multiply(products, staged, ty * Stride, Step, staged, (Queries + tx) * Stride, Step, Depth / 4);
            }

            for (int i = 0; i < 4; i++)
            {
                Float4 row = products.Row(i);
                int at = (ty + 16 * i) * WeightPitch + tx;
                (logits[at], logits[at + 16], logits[at + 32], logits[at + 48]) = (row.X, row.Y, row.Z, row.W);
            }

            Block.Sync();
            float most = largest;
            for (int c = quarter; c < Keys; c += 4)
            {
                int key = key0 + c;
                float logit = logits[line * WeightPitch + c] * scale;
                if (masked != 0 && key < keys) logit += mask[maskRow + key];
                if (key >= keys || (causal != 0 && key > ownQuery)) logit = Interop.IntAsFloat(0xFF800000u);
                logits[line * WeightPitch + c] = logit;
                most = logit > most ? logit : most;
            }

            partial[item] = most;
            Block.Sync();
            most = Larger(Larger(partial[4 * line], partial[4 * line + 1]), Larger(partial[4 * line + 2], partial[4 * line + 3]));
            float factor = DeviceMath.Exp2((largest - most) * Log2E);
            largest = most;
            sum *= factor;
            for (int c = quarter; c < Keys; c += 4)
            {
                float weight = DeviceMath.Exp2((logits[line * WeightPitch + c] - most) * Log2E);
                logits[line * WeightPitch + c] = weight;
                sum += weight;
            }

            if (quarter == 0) factors[line] = factor;
            for (int half = 0; half < Keys; half += ValueKeys)
            {
                int column = item % 64, first = item / 64;
                Float4 low = LoadValues<T, E>(v, batch, keys, key0 + half + 4 * first, vPitch, head * valueDepth, column0 + column,
                    valueDepth);
                Float4 high = LoadValues<T, E>(v, batch, keys, key0 + half + 16 + 4 * first, vPitch, head * valueDepth, column0 + column,
                    valueDepth);
                Block.Sync();
                staged[column * ValueStride + first] = low;
                staged[column * ValueStride + first + 4] = high;
                Block.Sync();
                if (half == 0)
                {
                    result.R0 = Scaled(result.R0, factors[ty]);
                    result.R1 = Scaled(result.R1, factors[ty + 16]);
                    result.R2 = Scaled(result.R2, factors[ty + 32]);
                    result.R3 = Scaled(result.R3, factors[ty + 48]);
                }

                result = Multiply(result, weights, ty * WeightStride + half / 4, WeightStep, staged, tx * ValueStride, ValueStep,
                    ValueKeys / 4);
            }
        }

        Block.Sync();
        partial[item] = sum;
        Block.Sync();
        for (int i = 0; i < 4; i++)
        {
            int row = ty + 16 * i, query = query0 + row;
            if (query >= queries) continue;
            float total = partial[4 * row] + partial[4 * row + 1] + (partial[4 * row + 2] + partial[4 * row + 3]);
            float inverse = total > 0f ? 1f / total : 0f;
            Float4 values = result.Row(i);
            int at = (batch * queries + query) * yPitch + head * valueDepth, column = column0 + tx;
            if (column < valueDepth) y[at + column] = E.Narrow(values.X * inverse);
            if (column + 16 < valueDepth) y[at + column + 16] = E.Narrow(values.Y * inverse);
            if (column + 32 < valueDepth) y[at + column + 32] = E.Narrow(values.Z * inverse);
            if (column + 48 < valueDepth) y[at + column + 48] = E.Narrow(values.W * inverse);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Scaled(Float4 a, float factor) => new(a.X * factor, a.Y * factor, a.Z * factor, a.W * factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Tile4x4 Multiply(Tile4x4 sums, ArrayView<Float4> a, int ia, int stepA, ArrayView<Float4> b, int ib, int stepB, int count)
    {
        for (int i = 0; i < count; i++)
            sums = Tile4x4.MultiplyAdd(
                sums, a[ia + i], a[ia + stepA + i], a[ia + 2 * stepA + i], a[ia + 3 * stepA + i], b[ib + i], b[ib + stepB + i],
                    b[ib + 2 * stepB + i], b[ib + 3 * stepB + i]);
        return sums;
    }

    // Four elements of a row; zeros past the head's end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Load<T, E>(ArrayView<T> view, int offset, int d, int depth) where T : unmanaged where E : struct, IElement<T>
    {
        Float4 piece = default;
        int at = offset + d;
        if (d < depth) piece.X = E.Widen(view[at]);
        if (d + 1 < depth) piece.Y = E.Widen(view[at + 1]);
        if (d + 2 < depth) piece.Z = E.Widen(view[at + 2]);
        if (d + 3 < depth) piece.W = E.Widen(view[at + 3]);
        return piece;
    }

    // A column's values of four keys; zeros past the last key, whose weight is 0, and past the head's end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 LoadValues<T, E>(ArrayView<T> v, int batch, int keys, int key, int pitch, int offset, int column, int valueDepth)
        where T : unmanaged where E : struct, IElement<T>
    {
        Float4 piece = default;
        if (column >= valueDepth) return piece;
        int at = (batch * keys + key) * pitch + offset + column;
        if (key < keys) piece.X = E.Widen(v[at]);
        if (key + 1 < keys) piece.Y = E.Widen(v[at + pitch]);
        if (key + 2 < keys) piece.Z = E.Widen(v[at + 2 * pitch]);
        if (key + 3 < keys) piece.W = E.Widen(v[at + 3 * pitch]);
        return piece;
    }
}
