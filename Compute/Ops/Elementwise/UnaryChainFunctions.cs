using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Chain functions without operands, and function composition.</summary>
internal static class UnaryChainFunctions
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>One function after another.</summary>
    internal readonly struct Then<TFirst, TSecond> : IChainFunction where TFirst : struct, IChainFunction
        where TSecond : struct, IChainFunction
    {
        public static int Slots => TFirst.Slots + TSecond.Slots;

        [MethodImpl(Inline)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
            where TOperands : struct, IOperands<T> =>
            TSecond.Apply<T, TMath, TOperands>(TFirst.Apply<T, TMath, TOperands>(x, operands, slot), operands, slot + TFirst.Slots);
    }

    /// <summary>x · scale + offset.</summary>
    internal readonly struct Line : IChainFunction
    {
        public static int Slots => 2;

        [MethodImpl(Inline)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
            where TOperands : struct, IOperands<T> =>
            TMath.MultiplyAdd(x, operands.Number(slot), operands.Number(slot + 1));
    }

    /// <summary>x clamped to two constants.</summary>
    internal readonly struct Between : IChainFunction
    {
        public static int Slots => 2;

        [MethodImpl(Inline)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
            where TOperands : struct, IOperands<T> =>
            TMath.Clamp(x, operands.Number(slot), operands.Number(slot + 1));
    }

    /// <summary>A function of the value alone.</summary>
    internal interface IUnary
    {
        static abstract T Apply<T, TMath>(T x) where T : struct where TMath : struct, IElementMath<T>;
    }

    /// <summary>A step without operands.</summary>
    internal readonly struct Of<TUnary> : IChainFunction where TUnary : struct, IUnary
    {
        public static int Slots => 0;

        [MethodImpl(Inline)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
            where TOperands : struct, IOperands<T> =>
            TUnary.Apply<T, TMath>(x);
    }

    internal readonly struct Silu : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Silu(x);
    }

    internal readonly struct Gelu : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Gelu(x);
    }

    internal readonly struct GeluTanh : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.GeluTanh(x);
    }

    internal readonly struct QuickGelu : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.QuickGelu(x);
    }

    internal readonly struct Relu : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Relu(x);
    }

    internal readonly struct Tanh : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Tanh(x);
    }

    internal readonly struct Sigmoid : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Sigmoid(x);
    }

    internal readonly struct Softplus : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Softplus(x);
    }

    internal readonly struct Mish : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Mish(x);
    }

    internal readonly struct Exp : IUnary
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x) where T : struct
        where TMath : struct, IElementMath<T> => TMath.Exp(x);
    }
}
