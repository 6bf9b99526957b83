using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Arithmetic over a vector register, with the same bits as the single ops' kernels.</summary>
internal readonly struct VectorElements<V> : IElementMath<V> where V : struct, ISimd<V>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static V Add(V a, V b) => a + b;

    [MethodImpl(Inline)] public static V Subtract(V a, V b) => a - b;

    [MethodImpl(Inline)] public static V Multiply(V a, V b) => a * b;

    [MethodImpl(Inline)] public static V Divide(V a, V b) => a / b;

    [MethodImpl(Inline)] public static V MultiplyAdd(V a, V b, V c) => V.MultiplyAdd(a, b, c);

    [MethodImpl(Inline)] public static V Clamp(V x, V low, V high) => V.Min(high, V.Max(low, x));

    [MethodImpl(Inline)] public static V Silu(V x) => VectorMath.Silu(x);

    [MethodImpl(Inline)] public static V Gelu(V x) => VectorMath.Gelu(x);

    [MethodImpl(Inline)] public static V GeluTanh(V x) => VectorMath.GeluTanh(x);

    [MethodImpl(Inline)] public static V QuickGelu(V x) => VectorMath.QuickGelu(x);

    [MethodImpl(Inline)] public static V Relu(V x) => V.Max(V.Create(0f), x);

    [MethodImpl(Inline)] public static V Tanh(V x) => VectorMath.Tanh(x);

    [MethodImpl(Inline)] public static V Sigmoid(V x) => VectorMath.Sigmoid(x);

    [MethodImpl(Inline)] public static V Softplus(V x) => VectorMath.Softplus(x);

    [MethodImpl(Inline)] public static V Mish(V x) => VectorMath.Mish(x);

    [MethodImpl(Inline)] public static V Exp(V x) => VectorMath.Exp(x);
}

/// <summary>Operands at one position of a row; constants are stored like operands of one element.</summary>
internal readonly unsafe struct RowOperands<V>(float** rows, int at) : IOperands<V> where V : struct, ISimd<V>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public V Number(int slot) => V.Create(*rows[slot]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public V Each(int slot) => V.Load(rows[slot] + at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public V Same(int slot) => V.Create(*rows[slot]);
}

/// <summary>Operands at the last, incomplete register of a row.</summary>
internal readonly unsafe struct LastOperands<V>(float** rows, int at, int count) : IOperands<V> where V : struct, ISimd<V>
{
    public V Number(int slot) => V.Create(*rows[slot]);

    public V Each(int slot) => Simd.LoadPartial<V>(rows[slot] + at, count);

    public V Same(int slot) => V.Create(*rows[slot]);
}
