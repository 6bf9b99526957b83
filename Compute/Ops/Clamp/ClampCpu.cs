using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One maximum and one minimum per element, with x as the second operand, which propagates NaN.</summary>
internal sealed class ClampCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var op = (Clamp)call.Op;
        return new MapLaunch<V, Range>(call, new Range((float)op.Low, (float)op.High));
    }

    private readonly struct Range(float low, float high) : IMap
    {
        public V Apply<V>(V x) where V : struct, ISimd<V> => V.Min(V.Create(high), V.Max(V.Create(low), x));
    }
}
