using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The loop of all elementwise functions of one argument.</summary>
internal static unsafe class MapRow<V> where V : struct, ISimd<V>
{
    /// <summary>y = f(x) over a run; y may be x.</summary>
    [MethodImpl(Jit.Kernel)]
    public static void Apply<TMap>(TMap map, float* x, float* y, int count) where TMap : struct, IMap
    {
        int i = 0;
        for (; i <= count - V.Count; i += V.Count) V.Store(map.Apply(V.Load(x + i)), y + i);
        if (i < count) Simd.StorePartial(map.Apply(Simd.LoadPartial<V>(x + i, count - i)), y + i, count - i);
    }
}
