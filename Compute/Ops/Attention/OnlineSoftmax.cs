using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Softmax over keys processed block by block (Milakov and Gimelshein, arXiv:1805.02867), for a panel of queries: one query per lane in two
/// registers, so that every step is a vertical operation.
/// </summary>
internal static unsafe class OnlineSoftmax
{
    /// <summary>Initial maximum. Finite, so that a fully masked block gives weights of 0 and not NaN.</summary>
    public const float NoLogit = float.MinValue;

    /// <summary>Turns logits into weights exp(logit − maximum), in place, and updates the maximum and the sum of weights.</summary>
    /// <param name="keys">Keys of the block.</param>
    /// <param name="logits">[keys, 2 registers].</param>
    /// <param name="largest">Largest logit so far, per query.</param>
    /// <param name="sum">Sum of weights so far, per query.</param>
    /// <param name="factor">Receives the factor for earlier sums, per query.</param>
    /// <returns>Whether a factor differs from 1.</returns>
    [MethodImpl(Jit.Kernel)]
    public static bool Update<V>(int keys, float* logits, float* largest, float* sum, float* factor) where V : struct, ISimd<V>
    {
        int width = 2 * V.Count;
        V before0 = V.Load(largest), before1 = V.Load(largest + V.Count), max0 = before0, max1 = before1;
        float* end = logits + keys * width;
        for (float* p = logits; p < end; p += width)
        {
            max0 = V.Max(max0, V.Load(p));
            max1 = V.Max(max1, V.Load(p + V.Count));
        }

        V sum0 = V.Create(0), sum1 = V.Create(0);
        for (float* p = logits; p < end; p += width)
        {
            V weight0 = ExpOfNegative(V.Load(p) - max0), weight1 = ExpOfNegative(V.Load(p + V.Count) - max1);
            V.Store(weight0, p);
            V.Store(weight1, p + V.Count);
            sum0 += weight0;
            sum1 += weight1;
        }

        V factor0 = ExpOfNegative(before0 - max0), factor1 = ExpOfNegative(before1 - max1);
        V.Store(factor0, factor);
        V.Store(factor1, factor + V.Count);
        V.Store(V.MultiplyAdd(V.Load(sum), factor0, sum0), sum);
        V.Store(V.MultiplyAdd(V.Load(sum + V.Count), factor1, sum1), sum + V.Count);
        V.Store(max0, largest);
        V.Store(max1, largest + V.Count);
        return V.Max(V.Max(max0 - before0, max1 - before1)) != 0;
    }

    /// <summary>
    /// eˣ for x ≤ 0, relative error ≤ 2e-7 · max(1, |x|/2); 0 below −87.7 and for −∞, NaN for NaN. About two thirds of VectorMath.Exp's
    /// work.
    /// </summary>
    /// <remarks>2ⁿ · 2ʳ, |r| ≤ ½; the polynomial is 2ʳ's Taylor series to r⁷ with its last term economised away (Chebyshev),
    /// 6e-9.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpOfNegative<V>(V x) where V : struct, ISimd<V>
    {
        const float Log2E = 1.44269504f;
        x = V.Max(V.Create(-88f), x); // n of −88 is −127, whose factor is 0
        V t = V.MultiplyAdd(x, V.Create(Log2E), V.Create(VectorMath.Rounding + 127)); // t − Rounding − 127 is n
        V r = V.MultiplyAdd(x, V.Create(Log2E), V.Create(VectorMath.Rounding + 127) - t);
        V p = V.MultiplyAdd(V.Create(0.000154035304f), r, V.Create(0.00134002889f));
        p = V.MultiplyAdd(p, r, V.Create(0.00961812911f));
        p = V.MultiplyAdd(p, r, V.Create(0.0555032745f));
        p = V.MultiplyAdd(p, r, V.Create(0.240226507f));
        p = V.MultiplyAdd(p, r, V.Create(0.693147207f));
        p = V.MultiplyAdd(p, r, V.Create(1f));
        return p * V.LowBitsToExponent(t);
    }
}
