using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Small self- and cross-attention as in SDXL, CLIP and the VAE, and edge cases.</summary>
public sealed class AttentionCases : IOpCases
{
    private const double LargeLogits = 4e-3;  // logits of 1e4 are known to 2^-24 · 1e4 · √d = 2e-3, and exp makes that a relative error

    public Type Op => typeof(ScaledDotProductAttention);

    /// <summary>Those with exact weights, then some whose weights may be rounded to the arguments' type, as they are by default.</summary>
    public IEnumerable<OpCase> Cases =>
    [
        .. Exact.Select(c => c with { Op = (ScaledDotProductAttention)c.Op with { Options = new(Precise: true) } }),
        .. Exact.Where(c => InOnePart.Contains(c.Name)).Select(c => c with
        {
            Name = $"{c.Name}, weights in one part",
            RoundingsIn16Bits = WeightRoundings,
        }),
    ];

    private static string[] InOnePart => ["text keys", "SDXL, part of 16 by 16", "causal, CLIP", "mask per query", "head 80, odd tokens",
        "head 160, text keys", "VAE head of 512", "query without keys gives 0"];

    // A weight's rounding error is independent of the others and at most u·weight, of variance (u·weight)²/3. The error of a result is then
    // u/√3 · √Σ weight²·v², and that root is the results' rms. The largest of 1e5 errors is 4.5 times the standard deviation; this is six.
    private const double WeightRoundings = 3.5;

    private static IEnumerable<OpCase> Exact =>
    [
        Case("one query, one key", 1, 1, 1, 1, 1),
        Case("head of 1", 1, 2, 5, 7, 1),
        Case("one query", 2, 3, 1, 33, 8),
        Case("odd head", 1, 2, 13, 29, 17),
        Case("one key", 2, 2, 40, 1, 16),
        Case("text keys", 2, 5, 64, 77, 64),
        Case("two text chunks, head 40", 1, 3, 50, 154, 40),
        Case("one over a panel and a block", 1, 1, 33, 145, 24),
        Case("several parts", 1, 1, 1100, 40, 8),
        Case("SDXL, part of 16 by 16", 1, 2, 256, 256, 64),
        Case("head 80, odd tokens", 1, 2, 37, 37, 80),
        Case("head 80, text keys", 2, 2, 45, 77, 80),
        Case("head 128, odd tokens", 1, 2, 67, 67, 128),
        Case("head 128, text keys", 2, 2, 45, 77, 128),
        Case("head 160, odd tokens", 1, 2, 37, 37, 160),
        Case("head 160, text keys", 2, 2, 45, 77, 160),
        Case("VAE head of 512", 1, 1, 70, 70, 512),
        Case("values wider than keys", 1, 2, 20, 30, 8, valueDepth: 21),
        Case("given scale", 1, 2, 9, 9, 8, new(2, Scale: 0.5)),
        Case("causal, CLIP", 1, 2, 77, 77, 64, new(2, Causal: true)),
        Case("causal, several blocks", 1, 1, 300, 300, 16, new(1, Causal: true)),
        Case("causal, more queries than keys", 1, 1, 40, 10, 8, new(1, Causal: true)),
        Case("causal, more keys than queries", 1, 1, 10, 40, 8, new(1, Causal: true)),
        Case("mask per key", 2, 2, 20, 19, 8, mask: Mask([2, 1, 19])),
        Case("mask per key for all", 2, 2, 20, 19, 8, mask: Mask([1, 1, 1, 19])),
        Case("mask per query", 2, 2, 37, 150, 8, mask: Mask([2, 1, 37, 150])),
        Case("mask per head, query and key", 2, 3, 20, 19, 8, mask: Mask([2, 3, 20, 19])),
        Case("mask per batch and query", 2, 3, 20, 19, 8, mask: Mask([2, 20, 19])),
        Case("mask and causal", 1, 2, 20, 20, 8, new(2, Causal: true), mask: Mask([1, 1, 20, 20])),
        Case("mask is a column view", 1, 2, 12, 21, 8, mask: CaseTensor.Normal([1, 12, 21], 5, padding: 9)),
        Case("keys hidden by -inf, a block of them too", 1, 1, 5, 300, 8,
            mask: new([1, 1, 300], i => i is < 200 or 250 ? double.NegativeInfinity : 0)),
        Case("keys hidden by -10000", 1, 2, 9, 77, 16, mask: new([1, 1, 77], i => i > 11 ? -10000 : 0)),
        Case("query without keys gives 0", 1, 1, 3, 40, 8, mask: new([1, 3, 40], i => i / 40 == 1 ? double.NegativeInfinity : 0)),
        Case("query with all keys at the lowest float", 1, 1, 3, 40, 8, mask: new([1, 3, 40], i => i / 40 == 1 ? float.MinValue : 0)),
        new("column views of one buffer", new ScaledDotProductAttention(3),
            [CaseTensor.Normal([2, 21, 24], 1, padding: 48), CaseTensor.Normal([2, 35, 24], 2, padding: 40),
                CaseTensor.Normal([2, 35, 24], 3, padding: 8)], Float32Sums(8, 35)),
        new("images serve as tokens", new ScaledDotProductAttention(2),
            [CaseTensor.Normal([2, 4, 5, 16], 1), CaseTensor.Normal([2, 3, 3, 16], 2), CaseTensor.Normal([2, 3, 3, 16], 3)],
                Float32Sums(8, 9)),
        new("logits of 1e4", new ScaledDotProductAttention(2),
            [CaseTensor.Normal([1, 30, 32], 1, 200), CaseTensor.Normal([1, 50, 32], 2, 50), CaseTensor.Normal([1, 50, 32], 3)],
                LargeLogits),
    ];

    // A result is the mean of values of order 1 by weights of relative error δ: 2^-24·√d from a logit's sum of d products, with as much
    // again for its worst, and a few roundings from exp. Its error is δ, but its rms is only 1/√keys, by which tolerances count.
    private static double Float32Sums(int depth, int keys) => (5e-7 + 1e-7 * Math.Sqrt(depth)) * Math.Sqrt(keys);

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var attention = (ScaledDotProductAttention)op;
        var (q, k, v) = (inputs[0], inputs[1], inputs[2]);
        int heads = attention.Heads, batch = q.Shape[0], queries = q.Rows / batch, keys = k.Rows / batch, d = q.Width / heads,
            dv = v.Width / heads;
        double scale = attention.Scale ?? 1 / Math.Sqrt(d);
        double[] y = new double[output.Count], weights = new double[keys];
        for (int n = 0; n < batch; n++)
        {
            for (int h = 0; h < heads; h++)
            {
                for (int i = 0; i < queries; i++)
                {
                    var query = q.Row(n * queries + i).Slice(h * d, d);
                    for (int j = 0; j < keys; j++)
                    {
                        var key = k.Row(n * keys + j).Slice(h * d, d);
                        double dot = 0;
                        for (int c = 0; c < d; c++) dot += query[c] * key[c];
                        weights[j] = attention.Causal && j > i ? double.NegativeInfinity
                            : dot * scale + (inputs.Length > 3 ? MaskAt(inputs[3], n, h, i, j) : 0);
                    }

                    double max = weights.Max(), sum = 0;
                    if (double.IsNegativeInfinity(max)) continue;
                    for (int j = 0; j < keys; j++) sum += weights[j] = Math.Exp(weights[j] - max);
                    for (int j = 0; j < keys; j++)
                    {
                        var value = v.Row(n * keys + j).Slice(h * dv, dv);
                        for (int c = 0; c < dv; c++) y[((long)n * queries + i) * heads * dv + h * dv + c] += weights[j] / sum * value[c];
                    }
                }
            }
        }

        return y;
    }

    private static double MaskAt(ReferenceTensor mask, int n, int h, int i, int j)
    {
        var sizes = mask.Shape;
        int heads = sizes.Rank == 4 ? sizes[1] : 1, queries = sizes[^2];
        return mask.Row(((sizes[0] == 1 ? 0 : n) * heads + (heads == 1 ? 0 : h)) * queries + (queries == 1 ? 0 : i))[j];
    }

    private static CaseTensor Mask(Shape shape) => CaseTensor.Normal(shape, 4, 2);

    private static OpCase Case(string name, int batch, int heads, int queries, int keys, int depth, ScaledDotProductAttention? op = null,
        CaseTensor? mask = null, int? valueDepth = null)
    {
        CaseTensor q = CaseTensor.Normal([batch, queries, heads * depth], 1), k = CaseTensor.Normal([batch, keys, heads * depth], 2);
        CaseTensor v = CaseTensor.Normal([batch, keys, heads * (valueDepth ?? depth)], 3);
        return new(name, op ?? new ScaledDotProductAttention(heads), mask is null ? [q, k, v] : [q, k, v, mask], Float32Sums(depth, keys));
    }
}
