using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention on OpenCL CPU devices, without barriers: a work item computes eight queries of a head and processes 64 keys at a time with an
/// online softmax. Operands are packed first, so that both multiplications run in registers of eight floats: over keys for the logits, over
/// columns for the values.
/// </summary>
internal static class PanelAttention
{
    public const int Queries = 8, Lanes = 8;

    /// <summary>Widest head of values: its sums are in private memory.</summary>
    public const int MostValueDepth = 512;

    private const int Keys = 64, MostChunks = MostValueDepth / Lanes;

    /// <summary>
    /// [n, tokens, heads · depth] → [n, heads, tokens / 8][depth][8] in float32; tokens beyond the last repeat it. One work item per token
    /// and head.
    /// </summary>
    internal static void Pack<T, E>(ArrayView<T> x, ArrayView<float> panels, int tokens, int packedTokens, int heads, int batch, int depth,
        int pitch)
        where T : unmanaged where E : struct, IElement<T>
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, token = item % packedTokens, rest = item / packedTokens, head = rest % heads,
            entry = rest / heads;
        if (entry >= batch) return;
        int source = (entry * tokens + Math.Min(token, tokens - 1)) * pitch + head * depth;
        int target = (rest * packedTokens + token / Lanes * Lanes) * depth + token % Lanes;
        for (int d = 0; d < depth; d++) panels[target + d * Lanes] = E.Widen(x[source + d]);
    }

    /// <summary>
    /// [n, tokens, heads · depth] → [n, heads, tokens][packed depth] in float32, each row zero-padded. One work item per token and head.
    /// </summary>
    internal static void PackValues<T, E>(ArrayView<T> x, ArrayView<float> rows, int tokens, int heads, int batch, int depth,
        int packedDepth, int pitch)
        where T : unmanaged where E : struct, IElement<T>
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, token = item % tokens, rest = item / tokens, head = rest % heads,
            entry = rest / heads;
        if (entry >= batch) return;
        int source = (entry * tokens + token) * pitch + head * depth, target = item * packedDepth;
        for (int d = 0; d < packedDepth; d++) rows[target + d] = d < depth ? E.Widen(x[source + d]) : 0f;
    }

    /// <summary>Grid: X over groups of eight queries, Y over heads, Z over the batch.</summary>
    internal static void Kernel<T, E>(
        ArrayView<float> q, ArrayView<Float8> k, ArrayView<Float8> v, ArrayView<float> mask, ArrayView<T> y, int queries, int packedQueries,
            int keys, int packedKeys, int depth, int valueDepth,
        int chunks, int heads, int yPitch, int masked, int maskBatch, int maskHead, int maskQuery, int causal, float scale)
        where T : unmanaged where E : struct, IElement<T>
    {
        int head = Grid.IdxY, batch = Grid.IdxZ, query0 = Grid.IdxX * Queries, one = batch * heads + head;
        var sums = LocalMemory.Allocate1D<Float8>(Queries * MostChunks);
        var weights = LocalMemory.Allocate1D<float>(Queries * Keys);
        var largest = LocalMemory.Allocate1D<float>(Queries);
        var total = LocalMemory.Allocate1D<float>(Queries);
        for (int i = 0; i < Queries; i++)
        {
            (largest[i], total[i]) = (float.MinValue, 0f); // finite, so that a row of −∞ gives weights of 0
            for (int c = 0; c < chunks; c++) sums[i * MostChunks + c] = default;
        }

        int visible = causal != 0 ? Math.Min(keys, query0 + Queries) : keys, left = (one * packedQueries + query0) * depth;
        for (int key0 = 0; key0 < visible; key0 += Keys)
        {
            int count = Math.Min(Keys, visible - key0);
            for (int panel = 0; panel * Lanes < count; panel++)
            {
                Float8 s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
                int right = (one * packedKeys + key0) / Lanes * depth + panel * depth;
                for (int d = 0; d < depth; d++)
                {
                    Float8 key = k[right + d];
                    int at = left + d * Queries;
                    s0 = Float8.MultiplyAdd(q[at], key, s0);
                    s1 = Float8.MultiplyAdd(q[at + 1], key, s1);
                    s2 = Float8.MultiplyAdd(q[at + 2], key, s2);
                    s3 = Float8.MultiplyAdd(q[at + 3], key, s3);
                    s4 = Float8.MultiplyAdd(q[at + 4], key, s4);
                    s5 = Float8.MultiplyAdd(q[at + 5], key, s5);
                    s6 = Float8.MultiplyAdd(q[at + 6], key, s6);
                    s7 = Float8.MultiplyAdd(q[at + 7], key, s7);
                }

                int place = panel * Lanes;
                Store(weights, 0 * Keys + place, s0);
                Store(weights, 1 * Keys + place, s1);
                Store(weights, 2 * Keys + place, s2);
                Store(weights, 3 * Keys + place, s3);
                Store(weights, 4 * Keys + place, s4);
                Store(weights, 5 * Keys + place, s5);
                Store(weights, 6 * Keys + place, s6);
                Store(weights, 7 * Keys + place, s7);
            }

            for (int i = 0; i < Queries; i++)
            {
                int query = Math.Min(query0 + i, queries - 1), maskRow = batch * maskBatch + head * maskHead + query * maskQuery + key0;
                float most = largest[i], sum = 0f;
                for (int j = 0; j < count; j++)
                {
                    float logit = weights[i * Keys + j] * scale;
                    if (masked != 0) logit += mask[maskRow + j];
                    if (causal != 0 && key0 + j > query) logit = Interop.IntAsFloat(0xFF800000u);
                    weights[i * Keys + j] = logit;
                    most = logit > most ? logit : most;
                }

                float factor = DeviceFunctions.Exp(largest[i] - most);
                for (int j = 0; j < count; j++)
                {
                    float weight = DeviceFunctions.Exp(weights[i * Keys + j] - most);
                    weights[i * Keys + j] = weight;
                    sum += weight;
                }

                (largest[i], total[i]) = (most, total[i] * factor + sum);
                for (int c = 0; c < chunks; c++) sums[i * MostChunks + c] = Float8.MultiplyAdd(factor, sums[i * MostChunks + c], default);
            }

            for (int c = 0; c < chunks; c++)
            {
                int values = (one * keys + key0) * chunks + c;
                Float8 r0 = sums[0 * MostChunks + c];
                Float8 r1 = sums[1 * MostChunks + c];
                Float8 r2 = sums[2 * MostChunks + c];
                Float8 r3 = sums[3 * MostChunks + c];
                Float8 r4 = sums[4 * MostChunks + c];
                Float8 r5 = sums[5 * MostChunks + c];
                Float8 r6 = sums[6 * MostChunks + c];
                Float8 r7 = sums[7 * MostChunks + c];
                for (int j = 0; j < count; j++)
                {
                    Float8 value = v[values + j * chunks];
                    r0 = Float8.MultiplyAdd(weights[0 * Keys + j], value, r0);
                    r1 = Float8.MultiplyAdd(weights[1 * Keys + j], value, r1);
                    r2 = Float8.MultiplyAdd(weights[2 * Keys + j], value, r2);
                    r3 = Float8.MultiplyAdd(weights[3 * Keys + j], value, r3);
                    r4 = Float8.MultiplyAdd(weights[4 * Keys + j], value, r4);
                    r5 = Float8.MultiplyAdd(weights[5 * Keys + j], value, r5);
                    r6 = Float8.MultiplyAdd(weights[6 * Keys + j], value, r6);
                    r7 = Float8.MultiplyAdd(weights[7 * Keys + j], value, r7);
                }

                sums[0 * MostChunks + c] = r0;
                sums[1 * MostChunks + c] = r1;
                sums[2 * MostChunks + c] = r2;
                sums[3 * MostChunks + c] = r3;
                sums[4 * MostChunks + c] = r4;
                sums[5 * MostChunks + c] = r5;
                sums[6 * MostChunks + c] = r6;
                sums[7 * MostChunks + c] = r7;
            }
        }

        for (int i = 0; i < Queries; i++)
        {
            if (query0 + i >= queries) continue;
            float inverse = total[i] > 0f ? 1f / total[i] : 0f;
            int at = (batch * queries + query0 + i) * yPitch + head * valueDepth;
            for (int c = 0; c < chunks; c++)
            {
                Store(weights, 0, sums[i * MostChunks + c]);
                for (int j = 0; j < Lanes && c * Lanes + j < valueDepth; j++) y[at + c * Lanes + j] = E.Narrow(weights[j] * inverse);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ArrayView<float> target, int at, Float8 value)
    {
        (target[at], target[at + 1], target[at + 2], target[at + 3]) = (value.A, value.B, value.C, value.D);
        (target[at + 4], target[at + 5], target[at + 6], target[at + 7]) = (value.E, value.F, value.G, value.H);
    }
}
