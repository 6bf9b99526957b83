using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>A chain's arithmetic on one element on a GPU, with the same bits as the single ops' kernels.</summary>
internal readonly struct DeviceElements : IElementMath<float>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(Inline)]
    public static float Subtract(float a, float b) => a - b;

    [MethodImpl(Inline)]
    public static float Multiply(float a, float b) => a * b;

    [MethodImpl(Inline)]
    public static float Divide(float a, float b) => a / b;

    [MethodImpl(Inline)]
    public static float MultiplyAdd(float a, float b, float c) => DeviceMath.Fma(a, b, c);

    [MethodImpl(Inline)]
    public static float Clamp(float x, float low, float high) => ClampGpu.Bounds.Apply(x, low, high);

    [MethodImpl(Inline)]
    public static float Silu(float x) => DeviceFunctions.Silu(x);

    [MethodImpl(Inline)]
    public static float Gelu(float x) => DeviceFunctions.Gelu(x);

    [MethodImpl(Inline)]
    public static float GeluTanh(float x) => DeviceFunctions.GeluTanh(x);

    [MethodImpl(Inline)]
    public static float QuickGelu(float x) => DeviceFunctions.QuickGelu(x);

    [MethodImpl(Inline)]
    public static float Relu(float x) => UnaryGpu.Relu.Apply(x, 0f, 0f);

    [MethodImpl(Inline)]
    public static float Tanh(float x) => DeviceFunctions.Tanh(x);

    [MethodImpl(Inline)]
    public static float Sigmoid(float x) => DeviceFunctions.Sigmoid(x);

    [MethodImpl(Inline)]
    public static float Softplus(float x) => UnaryGpu.Softplus.Apply(x, 0f, 0f);

    [MethodImpl(Inline)]
    public static float Mish(float x) => UnaryGpu.Mish.Apply(x, 0f, 0f);

    [MethodImpl(Inline)]
    public static float Exp(float x) => DeviceFunctions.Exp(x);
}

/// <summary>
/// Slots of a chain for one element: constants, and operand elements that were already loaded. Slot indices are constants in the compiled
/// kernel.
/// </summary>
internal struct DeviceOperands : IOperands<float>
{
    public float V0, V1, V2, V3, V4, V5, V6, V7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Number(int slot) =>
        slot == 0 ? V0 : slot == 1 ? V1 : slot == 2 ? V2 : slot == 3 ? V3 : slot == 4 ? V4 : slot == 5 ? V5 : slot == 6 ? V6 : V7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Each(int slot) => Number(slot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Same(int slot) => Number(slot);
}
