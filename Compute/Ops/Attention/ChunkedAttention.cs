using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention without local memory and barriers (Rabe and Staats, arXiv:2112.05682): for one chunk of keys after the other, logits, then
/// weights and running statistics, then sums. Logits are [head, key, query], so that work items with consecutive queries access
/// consecutive elements; statistics and sums are in global memory between the chunks.
/// </summary>
/// <remarks>Queries are padded to a multiple of four; padding repeats the last query and is never written to the result.</remarks>
internal static class ChunkedAttention
{
    public const int GroupSize = 64;

    /// <summary>Keys of a chunk.</summary>
    public const int Keys = 256;

    /// <summary>Queries and keys of a group of <see cref="Logits{T, E, TAccess}"/>, 4 × 4 per work item.</summary>
    public const int LogitQueries = 64, LogitKeys = 16;

    /// <summary>Queries and columns of a group of <see cref="Values{T, E, TAccess}"/>, 4 × 4 per work item.</summary>
    public const int ValueQueries = 16, ValueColumns = 64;

    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// q·kᵀ for the keys from <paramref name="key0"/> on. Grid: X over queries, Y over the chunk's keys, Z over entries and heads.
    /// </summary>
    internal static void Logits<T, E, TAccess>(ArrayView<T> q, ArrayView<T> k, ArrayView<float> logits, int queries, int packedQueries,
        int keys, int key0, int count, int depth, int heads, int qPitch, int kPitch)
        where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        int query = Grid.IdxX * LogitQueries + Group.IdxX % 16 * 4, key = Grid.IdxY * LogitKeys + Group.IdxX / 16 * 4,
            head = Grid.IdxZ % heads, batch = Grid.IdxZ / heads;
        if (query >= packedQueries || key >= count) return;
        int qStart = batch * queries * qPitch + head * depth, kStart = (batch * keys + key0) * kPitch + head * depth;
        int q0 = qStart + Math.Min(query, queries - 1) * qPitch, q1 = qStart + Math.Min(query + 1, queries - 1) * qPitch,
            q2 = qStart + Math.Min(query + 2, queries - 1) * qPitch, q3 = qStart + Math.Min(query + 3, queries - 1) * qPitch;
        int k0 = kStart + key * kPitch, k1 = kStart + Math.Min(key + 1, count - 1) * kPitch,
            k2 = kStart + Math.Min(key + 2, count - 1) * kPitch, k3 = kStart + Math.Min(key + 3, count - 1) * kPitch;
        Tile4x4 sums = default; // a row per key
        for (int d = 0; d < depth; d += 4)
            sums = Tile4x4.MultiplyAdd(sums,
                Load<T, E, TAccess>(k, k0, d, depth), Load<T, E, TAccess>(k, k1, d, depth),
                Load<T, E, TAccess>(k, k2, d, depth), Load<T, E, TAccess>(k, k3, d, depth),
                Load<T, E, TAccess>(q, q0, d, depth), Load<T, E, TAccess>(q, q1, d, depth),
                Load<T, E, TAccess>(q, q2, d, depth), Load<T, E, TAccess>(q, q3, d, depth));
        var rows = logits.Cast<Float4>();
        int at = (Grid.IdxZ * Keys + key) * (packedQueries / 4) + query / 4;
        rows[at] = sums.R0;
        if (key + 1 < count) rows[at + packedQueries / 4] = sums.R1;
        if (key + 2 < count) rows[at + 2 * (packedQueries / 4)] = sums.R2;
        if (key + 3 < count) rows[at + 3 * (packedQueries / 4)] = sums.R3;
    }

    /// <summary>
    /// Logits to weights, in place, with the running maximum and sum of each query, and the factor for its earlier sums. One work item per
    /// query. Grid: X over queries, Y over heads, Z over the batch.
    /// </summary>
    internal static void Weights(ArrayView<float> logits, ArrayView<float> largest, ArrayView<float> sums, ArrayView<float> factors,
        ArrayView<float> mask, int queries, int packedQueries, int keys, int key0, int count, int heads,
        int masked, int maskBatch, int maskHead, int maskQuery, int causal, float scale)
    {
        int item = Grid.IdxX * GroupSize + Group.IdxX, head = Grid.IdxY, batch = Grid.IdxZ, one = batch * heads + head;
        if (item >= packedQueries) return;
        int query = Math.Min(item, queries - 1), maskRow = batch * maskBatch + head * maskHead + query * maskQuery + key0;
        int start = one * Keys * packedQueries + item, end = start + count * packedQueries, at = one * packedQueries + item;
        int visible = causal != 0 ? Math.Min(query, keys - 1) + 1 - key0 : count; // negative if the whole chunk is hidden
        float before = key0 == 0 ? float.MinValue : largest[at], most = before; // finite, so that a row of −∞ gives weights of 0
        for (int key = 0; key < count; key++)
        {
            float logit = logits[start + key * packedQueries] * scale;
            if (masked != 0) logit += mask[maskRow + key];
            if (key >= visible) logit = Interop.IntAsFloat(0xFF800000u);
            logits[start + key * packedQueries] = logit;
            most = Larger(logit, most);
        }

        float sum = 0f;
        for (int i = start; i < end; i += packedQueries)
        {
            float weight = DeviceMath.Exp2((logits[i] - most) * Log2E);
            logits[i] = weight;
            sum += weight;
        }

        float factor = DeviceMath.Exp2((before - most) * Log2E);
        largest[at] = most;
        sums[at] = key0 == 0 ? sum : sums[at] * factor + sum;
        factors[at] = factor;
    }

    /// <summary>
    /// Adds weights times values to the sums so far, and writes the result after the last chunk. Grid: X over queries, Y over columns, Z
    /// over entries and heads.
    /// </summary>
    internal static void Values<T, E, TAccess>(ArrayView<float> weights, ArrayView<T> v, ArrayView<float> results, ArrayView<float> sums,
        ArrayView<float> factors, ArrayView<T> y, int queries, int packedQueries, int keys, int key0, int count, int valueDepth,
        int packedDepth, int heads, int vPitch, int yPitch, int last)
        where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        int query = Grid.IdxX * ValueQueries + Group.IdxX / 16 * 4, column = Grid.IdxY * ValueColumns + Group.IdxX % 16 * 4,
            head = Grid.IdxZ % heads, batch = Grid.IdxZ / heads;
        if (query >= packedQueries || column >= packedDepth) return;
        var rows = weights.Cast<Float4>();
        int from = (Grid.IdxZ * Keys * packedQueries + query) / 4, vRow = (batch * keys + key0) * vPitch + head * valueDepth;
        Tile4x4 tile = default;
        for (int key = 0; key < count; key++)
            tile = Tile4x4.MultiplyAdd(tile, rows[from + key * (packedQueries / 4)],
                Load<T, E, TAccess>(v, vRow + key * vPitch, column, valueDepth));
        var kept = results.Cast<Float4>();
        for (int i = 0; i < 4; i++)
        {
            int one = Grid.IdxZ * packedQueries + query + i, at = (one * packedDepth + column) / 4;
            Float4 values = tile.Row(i);
            if (key0 > 0) values = Float4.MultiplyAdd(factors[one], kept[at], values);
            if (last == 0) kept[at] = values;
            else if (query + i < queries)
            {
                float inverse = sums[one] > 0f ? 1f / sums[one] : 0f;
                int to = (batch * queries + query + i) * yPitch + head * valueDepth + column;
                y[to] = E.Narrow(values.X * inverse);
                if (column + 1 < valueDepth) y[to + 1] = E.Narrow(values.Y * inverse);
                if (column + 2 < valueDepth) y[to + 2] = E.Narrow(values.Z * inverse);
                if (column + 3 < valueDepth) y[to + 3] = E.Narrow(values.W * inverse);
            }
        }
    }

    // Four elements of a row; zeros past the head's end.
    [MethodImpl(Inline)]
    private static Float4 Load<T, E, TAccess>(ArrayView<T> view, int row, int d, int depth)
        where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        if (TAccess.Wide) return E.Widen4(E.Fetch4(view, row + d));
        Float4 piece = default;
        piece.X = E.Widen(view[row + d]);
        if (d + 1 < depth) piece.Y = E.Widen(view[row + d + 1]);
        if (d + 2 < depth) piece.Z = E.Widen(view[row + d + 2]);
        if (d + 3 < depth) piece.W = E.Widen(view[row + d + 3]);
        return piece;
    }
}
