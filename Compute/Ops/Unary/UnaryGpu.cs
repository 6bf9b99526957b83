using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One kernel per function over <see cref="DeviceFunctions"/>.</summary>
internal static class UnaryGpu
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static KernelVariant Variant { get; } =
        GpuKernel.Variant("gpu/map", signature => MapGpu.Of(signature, ((Unary)signature.Op).Function switch
        {
            UnaryFunction.Silu => typeof(Silu),
            UnaryFunction.Gelu => typeof(Gelu),
            UnaryFunction.GeluTanh => typeof(GeluTanh),
            UnaryFunction.QuickGelu => typeof(QuickGelu),
            UnaryFunction.Relu => typeof(Relu),
            UnaryFunction.Tanh => typeof(Tanh),
            UnaryFunction.Sigmoid => typeof(Sigmoid),
            UnaryFunction.Softplus => typeof(Softplus),
            UnaryFunction.Mish => typeof(Mish),
            UnaryFunction.Exp => typeof(Exp),
            var unknown => throw new DeviceException($"unary: no kernel for {unknown}."),
        }));

    private readonly struct Silu
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.Silu(x); }

    private readonly struct Gelu
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.Gelu(x); }

    private readonly struct GeluTanh
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.GeluTanh(x); }

    private readonly struct QuickGelu
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.QuickGelu(x); }

    internal readonly struct Relu
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => x < 0f ? 0f : x; }

    private readonly struct Tanh
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.Tanh(x); }

    private readonly struct Sigmoid
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.Sigmoid(x); }

    private readonly struct Exp
        : IElementFunction
    { [MethodImpl(Inline)] public static float Apply(float x, float a, float b) => DeviceFunctions.Exp(x); }

    /// <summary>
    /// As <see cref="VectorMath.Softplus"/>: max(x, 0) + ln(1 + e) with e = e^(−|x|), the logarithm by its series in e / (2 + e).
    /// </summary>
    internal readonly struct Softplus : IElementFunction
    {
        [MethodImpl(Inline)]
        public static float Apply(float x, float a, float b)
        {
            float e = DeviceFunctions.Exp(x < 0f ? x : -x), w = e / (2f + e), z = w * w;
            float p = DeviceMath.Fma(z, 2f / 15, 2f / 13);
            p = DeviceMath.Fma(p, z, 2f / 11);
            p = DeviceMath.Fma(p, z, 2f / 9);
            p = DeviceMath.Fma(p, z, 2f / 7);
            p = DeviceMath.Fma(p, z, 2f / 5);
            p = DeviceMath.Fma(p, z, 2f / 3);
            p = DeviceMath.Fma(p, z, 2f);
            return DeviceMath.Fma(p, w, x < 0f ? 0f : x);
        }
    }

    /// <summary>As <see cref="VectorMath.Mish"/>: tanh(ln(1 + e)) = (e² + 2e) / (e² + 2e + 2).</summary>
    internal readonly struct Mish : IElementFunction
    {
        [MethodImpl(Inline)]
        public static float Apply(float x, float a, float b)
        {
            float e = DeviceFunctions.Exp(x > 20f ? 20f : x), q = DeviceMath.Fma(e, e, e + e);
            return x * (q / (q + 2f));
        }
    }
}
