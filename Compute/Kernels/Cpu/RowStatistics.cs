using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Sums over a row in float32. Each lane of four registers takes a strided slice; the slices are added in a fixed order.</summary>
internal static unsafe class RowStatistics
{
    /// <summary>Σ x.</summary>
    [MethodImpl(Jit.Kernel)]
    public static float Sum<V>(float* x, int count) where V : struct, ISimd<V>
    {
        V a = V.Create(0f), b = a, c = a, d = a;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            a += V.Load(x + i);
            b += V.Load(x + i + V.Count);
            c += V.Load(x + i + 2 * V.Count);
            d += V.Load(x + i + 3 * V.Count);
        }

        for (; i <= count - V.Count; i += V.Count) a += V.Load(x + i);
        if (i < count) b += Simd.LoadPartial<V>(x + i, count - i);
        return V.Sum((a + b) + (c + d));
    }

    /// <summary>Σ (x − origin) and Σ (x − origin)². With an origin near the mean, neither loses precision to a large mean.</summary>
    [MethodImpl(Jit.Kernel)]
    public static (float First, float Second) Moments<V>(float* x, int count, float origin) where V : struct, ISimd<V>
    {
        V zero = V.Create(0f), first0 = zero, first1 = zero, first2 = zero, first3 = zero, shift = V.Create(origin);
        V second0 = zero, second1 = zero, second2 = zero, second3 = zero;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            V u = V.Load(x + i) - shift, v = V.Load(x + i + V.Count) - shift, w = V.Load(x + i + 2 * V.Count) - shift,
                z = V.Load(x + i + 3 * V.Count) - shift;
            first0 += u;
            first1 += v;
            first2 += w;
            first3 += z;
            second0 = V.MultiplyAdd(u, u, second0);
            second1 = V.MultiplyAdd(v, v, second1);
            second2 = V.MultiplyAdd(w, w, second2);
            second3 = V.MultiplyAdd(z, z, second3);
        }

        for (; i < count; i += V.Count)
        {
            V u = (i <= count - V.Count ? V.Load(x + i) : Simd.LoadPartial<V>(x + i, count - i, origin)) - shift;
            first0 += u;
            second0 = V.MultiplyAdd(u, u, second0);
        }

        return (V.Sum((first0 + first1) + (first2 + first3)), V.Sum((second0 + second1) + (second2 + second3)));
    }
}
