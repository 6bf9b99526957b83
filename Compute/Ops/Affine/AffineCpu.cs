using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One multiply-add per element.</summary>
internal sealed class AffineCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var op = (Affine)call.Op;
        return new MapLaunch<V, Line>(call, new Line((float)op.Scale, (float)op.Offset));
    }

    private readonly struct Line(float scale, float offset) : IMap
    {
        public V Apply<V>(V x) where V : struct, ISimd<V> => V.MultiplyAdd(x, V.Create(scale), V.Create(offset));
    }
}
