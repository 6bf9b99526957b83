using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The activations that epilogues apply too, a register at a time.</summary>
internal static class ActivationMaps
{
    internal readonly struct Silu : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Silu(x); }

    internal readonly struct Gelu : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Gelu(x); }

    internal readonly struct GeluTanh : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.GeluTanh(x); }

    internal readonly struct QuickGelu : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.QuickGelu(x); }
}
