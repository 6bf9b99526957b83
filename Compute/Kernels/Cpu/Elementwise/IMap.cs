using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A function of one register; a struct, so that the JIT makes one loop per function.</summary>
internal interface IMap
{
    /// <summary>f(x) in each lane.</summary>
    V Apply<V>(V x) where V : struct, ISimd<V>;
}

/// <summary>f(x) = x.</summary>
internal readonly struct Identity : IMap
{
    public V Apply<V>(V x) where V : struct, ISimd<V> => x;
}

/// <summary>f(x) = x · value.</summary>
internal readonly struct Factor(float value) : IMap
{
    public V Apply<V>(V x) where V : struct, ISimd<V> => x * V.Create(value);
}
