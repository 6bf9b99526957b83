using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Elementary functions of float32 registers. All are branch-free, correct over the whole range of float32 (infinities give the limit),
/// and pass NaN on. The errors stated are checked by VectorMathTests at every register width.
/// </summary>
internal static class VectorMath
{
    /// <summary>1.5 · 2²³: adding a number up to 2²² to this rounds it to an integer, which is then in the sum's last bits.</summary>
    internal const float Rounding = 12582912f;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>eˣ, relative error ≤ 2e-7; results below 1.7e-38 become 0, so that no slow subnormal number arises.</summary>
    /// <remarks>
    /// x = n·ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts so that n·ln 2 loses nothing; eʳ by the degree-5 polynomial of Cephes' expf
    /// (Moshier, netlib.org/cephes). The exponent is applied as 2ⁿ⁻¹ · 2, which reaches the largest float without passing through infinity.
    /// </remarks>
    [MethodImpl(Inline)]
    public static V Exp<V>(V x) where V : struct, ISimd<V>
    {
        x = V.Min(V.Create(89f), V.Max(V.Create(-87.5f), x)); // e⁸⁹ overflows to infinity below; n of −87.5 is −126, whose factor is 0
        // t's last bits are n + 126: the exponent of 2ⁿ⁻¹
        V t = V.MultiplyAdd(x, V.Create(1.44269504f), V.Create(Rounding + 126)), n = t - V.Create(Rounding + 126);
        V r = V.MultiplyAdd(n, V.Create(-0.693359375f), x);
        r = V.MultiplyAdd(n, V.Create(2.12194440e-4f), r);
        V p = V.MultiplyAdd(r, V.Create(1.9875691500e-4f), V.Create(1.3981999507e-3f));
        p = V.MultiplyAdd(p, r, V.Create(8.3334519073e-3f));
        p = V.MultiplyAdd(p, r, V.Create(4.1665795894e-2f));
        p = V.MultiplyAdd(p, r, V.Create(1.6666665459e-1f));
        p = V.MultiplyAdd(p, r, V.Create(5.0000001201e-1f));
        p = V.MultiplyAdd(p, r * r, r) + V.Create(1f);
        return p * V.LowBitsToExponent(t) * V.Create(2f);
    }

    /// <summary>1 / (1 + e⁻ˣ), relative error ≤ 4e-7 above 1e-38.</summary>
    [MethodImpl(Inline)]
    public static V Sigmoid<V>(V x) where V : struct, ISimd<V> => V.Reciprocal(V.Create(1f) + Exp(-x));

    /// <summary>x / (1 + e⁻ˣ), relative error ≤ 4e-7 above 1e-36.</summary>
    [MethodImpl(Inline)]
    public static V Silu<V>(V x) where V : struct, ISimd<V> => x * V.Reciprocal(V.Create(1f) + Exp(-x));

    /// <summary>x · s(1.702 x), relative error ≤ 4e-7 · max(1, |x|): the rounding of the exponential's argument counts.</summary>
    [MethodImpl(Inline)]
    public static V QuickGelu<V>(V x) where V : struct, ISimd<V> => x * V.Reciprocal(V.Create(1f) + Exp(x * V.Create(-1.702f)));

    /// <summary>x · Φ(x), error ≤ 5e-8 + 1.2e-7 · |result|.</summary>
    /// <remarks>
    /// max(x, 0) − |x|/2 · erfc(|x| / √2) is the same function without a difference of nearly equal numbers for negative x. With z = |x| /
    /// √2 and t = 1 / (1 + 0.39 z), erfc(z) = e^(−z²) · (c₁t + … + c₆t⁶) is the form of Abramowitz and Stegun 7.1.26 with one more term;
    /// the c are a weighted least-squares fit over 0 ≤ z ≤ 8 for the smallest error of the product, 8.4e-9. They are halved below.
    /// </remarks>
    [MethodImpl(Inline)]
    public static V Gelu<V>(V x) where V : struct, ISimd<V>
    {
        V a = V.Min(V.Create(20f), V.Abs(x)); // beyond 14 the second term is 0; infinity · 0 must not arise
        V t = V.Reciprocal(V.MultiplyAdd(a, V.Create(0.39f * 0.70710678f), V.Create(1f)));
        V p = V.MultiplyAdd(t, V.Create(-0.1126331256f), V.Create(0.438793514f));
        p = V.MultiplyAdd(p, t, V.Create(-0.3104959982f));
        p = V.MultiplyAdd(p, t, V.Create(0.3191048798f));
        p = V.MultiplyAdd(p, t, V.Create(0.0479121988f));
        p = V.MultiplyAdd(p, t, V.Create(0.1173185601f));
        return V.Max(V.Create(0f), x) - a * (p * t) * Exp(a * a * V.Create(-0.5f));
    }

    /// <summary>x/2 · (1 + tanh u) = x · s(2u) with u = √(2/π) · (x + 0.044715 x³), absolute error ≤ 1e-6.</summary>
    [MethodImpl(Inline)]
    public static V GeluTanh<V>(V x) where V : struct, ISimd<V>
    {
        V u = x * V.MultiplyAdd(x * x, V.Create(-2f * 0.79788456f * 0.044715f), V.Create(-2f * 0.79788456f));
        return x * V.Reciprocal(V.Create(1f) + Exp(u));
    }

    /// <summary>Hyperbolic tangent, relative error ≤ 4e-7.</summary>
    /// <remarks>Below 0.625 the odd polynomial of Cephes' tanhf, where 1 − 2 / (e²ˣ + 1) would lose digits.</remarks>
    [MethodImpl(Inline)]
    public static V Tanh<V>(V x) where V : struct, ISimd<V>
    {
        V a = V.Abs(x), z = x * x;
        V p = V.MultiplyAdd(z, V.Create(-5.70498872745e-3f), V.Create(2.06390887954e-2f));
        p = V.MultiplyAdd(p, z, V.Create(-5.37397155531e-2f));
        p = V.MultiplyAdd(p, z, V.Create(1.33314422036e-1f));
        p = V.MultiplyAdd(p, z, V.Create(-3.33332819422e-1f));
        V small = V.MultiplyAdd(p * z, x, x);
        V large = V.Create(1f) - V.Create(2f) / (Exp(a + a) + V.Create(1f));
        return V.IfLess(a, V.Create(0.625f), small, V.IfLess(x, V.Create(0f), -large, large));
    }

    /// <summary>ln(1 + eˣ), relative error ≤ 1e-6.</summary>
    /// <remarks>max(x, 0) + ln(1 + e) with e = e^(−|x|) ≤ 1, and ln(1 + e) = 2 artanh(w), w = e / (2 + e) ≤ 1/3, by its series to
    /// w¹⁵.</remarks>
    [MethodImpl(Inline)]
    public static V Softplus<V>(V x) where V : struct, ISimd<V>
    {
        V e = Exp(-V.Abs(x)), w = e / (V.Create(2f) + e), z = w * w;
        V p = V.MultiplyAdd(z, V.Create(2f / 15), V.Create(2f / 13));
        p = V.MultiplyAdd(p, z, V.Create(2f / 11));
        p = V.MultiplyAdd(p, z, V.Create(2f / 9));
        p = V.MultiplyAdd(p, z, V.Create(2f / 7));
        p = V.MultiplyAdd(p, z, V.Create(2f / 5));
        p = V.MultiplyAdd(p, z, V.Create(2f / 3));
        p = V.MultiplyAdd(p, z, V.Create(2f));
        return V.MultiplyAdd(p, w, V.Max(V.Create(0f), x));
    }

    /// <summary>x · tanh(ln(1 + eˣ)), relative error ≤ 1e-6.</summary>
    /// <remarks>tanh(ln(1 + e)) = (e² + 2e) / (e² + 2e + 2): no logarithm. Above 20 the quotient is 1.</remarks>
    [MethodImpl(Inline)]
    public static V Mish<V>(V x) where V : struct, ISimd<V>
    {
        V e = Exp(V.Min(V.Create(20f), x)), q = V.MultiplyAdd(e, e, e + e);
        return x * (q / (q + V.Create(2f)));
    }
}
