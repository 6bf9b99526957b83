using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One loop per function over <see cref="VectorMath"/>.</summary>
internal sealed class UnaryCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => ((Unary)call.Op).Function switch
    {
        UnaryFunction.Silu => new MapLaunch<V, ActivationMaps.Silu>(call, default),
        UnaryFunction.Gelu => new MapLaunch<V, ActivationMaps.Gelu>(call, default),
        UnaryFunction.GeluTanh => new MapLaunch<V, ActivationMaps.GeluTanh>(call, default),
        UnaryFunction.QuickGelu => new MapLaunch<V, ActivationMaps.QuickGelu>(call, default),
        UnaryFunction.Relu => new MapLaunch<V, Relu>(call, default),
        UnaryFunction.Tanh => new MapLaunch<V, Tanh>(call, default),
        UnaryFunction.Sigmoid => new MapLaunch<V, Sigmoid>(call, default),
        UnaryFunction.Softplus => new MapLaunch<V, Softplus>(call, default),
        UnaryFunction.Mish => new MapLaunch<V, Mish>(call, default),
        UnaryFunction.Exp => new MapLaunch<V, Exp>(call, default),
        var unknown => throw new DeviceException($"unary: no kernel for {unknown}."),
    };

    private readonly struct Relu : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => V.Max(V.Create(0f), x); }

    private readonly struct Tanh : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Tanh(x); }

    private readonly struct Sigmoid : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Sigmoid(x); }

    private readonly struct Softplus : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Softplus(x); }

    private readonly struct Mish : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Mish(x); }

    private readonly struct Exp : IMap { public V Apply<V>(V x) where V : struct, ISimd<V> => VectorMath.Exp(x); }
}
