using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>Functions of the value alone, and their composition.</summary>
internal static class UnaryChainFunctions
{
    /// <summary>One function after another.</summary>
    internal readonly struct Then<TFirst, TSecond> : IChainFunction where TFirst : struct, IChainFunction where TSecond : struct, IChainFunction
    {
        public static int Slots => TFirst.Slots + TSecond.Slots;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> =>
            TSecond.Apply<T, TMath, TOperands>(TFirst.Apply<T, TMath, TOperands>(x, operands, slot), operands, slot + TFirst.Slots);
    }

    /// <summary>x · scale + offset.</summary>
    internal readonly struct Line : IChainFunction
    {
        public static int Slots => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.MultiplyAdd(x, operands.Number(slot), operands.Number(slot + 1));
    }

    /// <summary>x, but no less than one number and no more than another.</summary>
    internal readonly struct Between : IChainFunction
    {
        public static int Slots => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Clamp(x, operands.Number(slot), operands.Number(slot + 1));
    }

    /// <summary><see cref="UnaryFunction.Silu"/>.</summary>
    internal readonly struct Silu : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Silu(x);
    }

    /// <summary><see cref="UnaryFunction.Gelu"/>.</summary>
    internal readonly struct Gelu : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Gelu(x);
    }

    /// <summary><see cref="UnaryFunction.GeluTanh"/>.</summary>
    internal readonly struct GeluTanh : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.GeluTanh(x);
    }

    /// <summary><see cref="UnaryFunction.QuickGelu"/>.</summary>
    internal readonly struct QuickGelu : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.QuickGelu(x);
    }

    /// <summary><see cref="UnaryFunction.Relu"/>.</summary>
    internal readonly struct Relu : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Relu(x);
    }

    /// <summary><see cref="UnaryFunction.Tanh"/>.</summary>
    internal readonly struct Tanh : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Tanh(x);
    }

    /// <summary><see cref="UnaryFunction.Sigmoid"/>.</summary>
    internal readonly struct Sigmoid : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Sigmoid(x);
    }

    /// <summary><see cref="UnaryFunction.Softplus"/>.</summary>
    internal readonly struct Softplus : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Softplus(x);
    }

    /// <summary><see cref="UnaryFunction.Mish"/>.</summary>
    internal readonly struct Mish : IChainFunction
    {
        public static int Slots => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T> => TMath.Mish(x);
    }
}
