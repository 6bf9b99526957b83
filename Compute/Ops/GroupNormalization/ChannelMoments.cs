using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Σ x / rows as float ("origin"), Σ (x − origin) and Σ (x − origin)² of each channel over a block of rows, in two passes, the second of
/// which reads from the cache. Lanes are channels, so lanes are never added to each other.
/// </summary>
internal static unsafe class ChannelMoments<V> where V : struct, ISimd<V>
{
    /// <summary>Channels processed by <see cref="Four"/>.</summary>
    public static int FourCount => 4 * V.Count;

    /// <summary>
    /// Four registers of channels. <paramref name="result"/>: origins, first and second moments, <see cref="FourCount"/> of each.
    /// </summary>
    [MethodImpl(Jit.Kernel)]
    public static void Four(float* x, long pitch, int rows, float* result)
    {
        V zero = V.Create(0f), a = zero, b = zero, c = zero, d = zero, share = V.Create(1f / rows);
        float* p = x;
        for (int row = 0; row < rows; row++, p += pitch)
        {
            a += V.Load(p);
            b += V.Load(p + V.Count);
            c += V.Load(p + 2 * V.Count);
            d += V.Load(p + 3 * V.Count);
        }

        (a, b, c, d) = (a * share, b * share, c * share, d * share);
        V a1 = zero, b1 = zero, c1 = zero, d1 = zero, a2 = zero, b2 = zero, c2 = zero, d2 = zero;
        p = x;
        for (int row = 0; row < rows; row++, p += pitch)
        {
            V u = V.Load(p) - a, v = V.Load(p + V.Count) - b, w = V.Load(p + 2 * V.Count) - c, z = V.Load(p + 3 * V.Count) - d;
            a1 += u;
            b1 += v;
            c1 += w;
            d1 += z;
            a2 = V.MultiplyAdd(u, u, a2);
            b2 = V.MultiplyAdd(v, v, b2);
            c2 = V.MultiplyAdd(w, w, c2);
            d2 = V.MultiplyAdd(z, z, d2);
        }

        Store(result, a, b, c, d);
        Store(result + FourCount, a1, b1, c1, d1);
        Store(result + 2 * FourCount, a2, b2, c2, d2);
    }

    /// <summary>One register of channels, or the first <paramref name="lanes"/> of one.</summary>
    [MethodImpl(Jit.Kernel)]
    public static void One(float* x, long pitch, int rows, int lanes, float* result)
    {
        V a = V.Create(0f), a1 = a, a2 = a;
        float* p = x;
        for (int row = 0; row < rows; row++, p += pitch) a += Load(p, lanes);
        a *= V.Create(1f / rows);
        p = x;
        for (int row = 0; row < rows; row++, p += pitch)
        {
            V u = Load(p, lanes) - a;
            a1 += u;
            a2 = V.MultiplyAdd(u, u, a2);
        }

        V.Store(a, result);
        V.Store(a1, result + FourCount);
        V.Store(a2, result + 2 * FourCount);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load(float* p, int lanes) => lanes == V.Count ? V.Load(p) : Simd.LoadPartial<V>(p, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, V a, V b, V c, V d)
    {
        V.Store(a, target);
        V.Store(b, target + V.Count);
        V.Store(c, target + 2 * V.Count);
        V.Store(d, target + 3 * V.Count);
    }
}
