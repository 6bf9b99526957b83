using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The activation that a GEMM's epilogue applies: a type argument of kernels.</summary>
internal interface IActivation
{
    /// <summary>f(x).</summary>
    static abstract float Apply(float x);
}

/// <summary>The activations that epilogues can apply.</summary>
internal static class Activations
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The type of a function; null is the identity.</summary>
    public static Type Of(UnaryFunction? function) => function switch
    {
        null => typeof(Identity),
        UnaryFunction.Silu => typeof(Silu),
        UnaryFunction.Gelu => typeof(Gelu),
        UnaryFunction.GeluTanh => typeof(GeluTanh),
        UnaryFunction.QuickGelu => typeof(QuickGelu),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "No epilogue applies this function."),
    };

    internal readonly struct Identity : IActivation
    {
        [MethodImpl(Inline)]
        public static float Apply(float x) => x;
    }

    internal readonly struct Silu : IActivation
    {
        [MethodImpl(Inline)]
        public static float Apply(float x) => DeviceFunctions.Silu(x);
    }

    internal readonly struct Gelu : IActivation
    {
        [MethodImpl(Inline)]
        public static float Apply(float x) => DeviceFunctions.Gelu(x);
    }

    internal readonly struct GeluTanh : IActivation
    {
        [MethodImpl(Inline)]
        public static float Apply(float x) => DeviceFunctions.GeluTanh(x);
    }

    internal readonly struct QuickGelu : IActivation
    {
        [MethodImpl(Inline)]
        public static float Apply(float x) => DeviceFunctions.QuickGelu(x);
    }
}
