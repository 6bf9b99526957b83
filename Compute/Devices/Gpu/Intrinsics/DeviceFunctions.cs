using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Elementary functions for kernels: the same C# on every device, built on the few instructions of <see cref="DeviceMath"/>. NaN
/// propagates, infinities give the limit. The stated errors are those of the C# bodies; devices round every step the same except 1 / x.
/// </summary>
internal static class DeviceFunctions
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>eˣ, relative error ≤ 2e-7; results below 1.7e-38 become 0.</summary>
    /// <remarks>As <c>VectorMath.Exp</c>: x = n·ln 2 + r, eʳ by a polynomial, the exponent as bits in two steps, since 2¹²⁸ is too
    /// large.</remarks>
    [MethodImpl(Inline)]
    public static float Exp(float x)
    {
        x = x > 89f ? 89f : x < -87.5f ? -87.5f : x; // NaN fails both comparisons
        float n = DeviceMath.Round(x * 1.44269504f);
        float r = DeviceMath.Fma(n, -0.693147182465f, x);
        r = DeviceMath.Fma(n, 1.90465421e-9f, r);
        float p = DeviceMath.Fma(r, 1.9875691500e-4f, 1.3981999507e-3f);
        p = DeviceMath.Fma(p, r, 8.3334519073e-3f);
        p = DeviceMath.Fma(p, r, 4.1665795894e-2f);
        p = DeviceMath.Fma(p, r, 1.6666665459e-1f);
        p = DeviceMath.Fma(p, r, 5.0000001201e-1f);
        p = DeviceMath.Fma(p, r * r, r) + 1f;
        return p * Interop.IntAsFloat((uint)((int)n + 126) << 23) * 2f;
    }

    /// <summary>1 / (1 + e⁻ˣ), relative error ≤ 4e-7 above 1e-37.</summary>
    [MethodImpl(Inline)]
    public static float Sigmoid(float x) => 1f / (1f + Exp(-x));

    /// <summary>x / (1 + e⁻ˣ), relative error ≤ 4e-7 above 1e-35.</summary>
    [MethodImpl(Inline)]
    public static float Silu(float x) => x / (1f + Exp(-x));

    /// <summary>x · s(1.702 x), relative error ≤ 4e-7 · max(1, |x|): the rounding of the exponential's argument counts.</summary>
    [MethodImpl(Inline)]
    public static float QuickGelu(float x) => x / (1f + Exp(-1.702f * x));

    /// <summary>x · Φ(x), error ≤ 5e-8 + 2e-7 · |result|.</summary>
    /// <remarks>The formula and fit of <c>VectorMath.Gelu</c>: no difference of nearly equal numbers for negative x.</remarks>
    [MethodImpl(Inline)]
    public static float Gelu(float x)
    {
        float magnitude = x < 0f ? -x : x;
        float a = magnitude > 20f ? 20f : magnitude;
        float t = 1f / DeviceMath.Fma(a, 0.39f * 0.70710678f, 1f);
        float p = DeviceMath.Fma(t, -0.1126331256f, 0.438793514f);
        p = DeviceMath.Fma(p, t, -0.3104959982f);
        p = DeviceMath.Fma(p, t, 0.3191048798f);
        p = DeviceMath.Fma(p, t, 0.0479121988f);
        p = DeviceMath.Fma(p, t, 0.1173185601f);
        return (x < 0f ? 0f : x) - a * (p * t) * Exp(a * a * -0.5f);
    }

    /// <summary>x/2 · (1 + tanh u) = x · s(2u) with u = √(2/π) · (x + 0.044715 x³), absolute error ≤ 1e-6 · max(1, |x|).</summary>
    [MethodImpl(Inline)]
    public static float GeluTanh(float x)
    {
        float u = x * DeviceMath.Fma(x * x, -2f * 0.79788456f * 0.044715f, -2f * 0.79788456f);
        return x / (1f + Exp(u));
    }

    /// <summary>Hyperbolic tangent, relative error ≤ 4e-7.</summary>
    /// <remarks>Below 0.625 the odd polynomial of Cephes' tanhf, where 1 − 2 / (e²ˣ + 1) would lose digits.</remarks>
    [MethodImpl(Inline)]
    public static float Tanh(float x)
    {
        float a = x < 0f ? -x : x, z = x * x;
        float p = DeviceMath.Fma(z, -5.70498872745e-3f, 2.06390887954e-2f);
        p = DeviceMath.Fma(p, z, -5.37397155531e-2f);
        p = DeviceMath.Fma(p, z, 1.33314422036e-1f);
        p = DeviceMath.Fma(p, z, -3.33332819422e-1f);
        float small = DeviceMath.Fma(p * z, x, x);
        float large = 1f - 2f / (Exp(a + a) + 1f);
        return a < 0.625f ? small : x < 0f ? -large : large;
    }

    /// <summary>Sine, absolute error ≤ 1.5e-7 for |x| ≤ 10⁴ (timesteps, positions); beyond that it grows with |x|.</summary>
    [MethodImpl(Inline)]
    public static float Sin(float x)
    {
        float n = DeviceMath.Round(x * 0.636619772f); // quarter turns
        return Quarter(Reduce(x, n), n);
    }

    /// <summary>Cosine, with the error of <see cref="Sin"/>.</summary>
    [MethodImpl(Inline)]
    public static float Cos(float x)
    {
        float n = DeviceMath.Round(x * 0.636619772f);
        return Quarter(Reduce(x, n), n + 1f);
    }

    // π/2 in three parts; a fused multiply-add rounds only the difference.
    [MethodImpl(Inline)]
    private static float Reduce(float x, float n) =>
        DeviceMath.Fma(n, 1.71512451e-15f, DeviceMath.Fma(n, 4.37113883e-8f, DeviceMath.Fma(n, -1.57079637f, x)));

    // sin(r + n·π/2) for |r| ≤ π/4: polynomials of Cephes' sinf and cosf.
    [MethodImpl(Inline)]
    private static float Quarter(float r, float n)
    {
        int quarter = (int)n & 3;
        float z = r * r;
        float s = DeviceMath.Fma(z, -1.9515295891e-4f, 8.3321608736e-3f);
        s = DeviceMath.Fma(s, z, -1.6666654611e-1f);
        s = DeviceMath.Fma(s * z, r, r);
        float c = DeviceMath.Fma(z, 2.443315711809948e-5f, -1.388731625493765e-3f);
        c = DeviceMath.Fma(c, z, 4.166664568298827e-2f);
        c = DeviceMath.Fma(c * z, z, DeviceMath.Fma(z, -0.5f, 1f));
        float value = (quarter & 1) == 0 ? s : c;
        return (quarter & 2) == 0 ? value : -value;
    }
}
