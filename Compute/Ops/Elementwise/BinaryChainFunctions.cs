using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Chain functions with one operand.</summary>
internal static class BinaryChainFunctions
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Kind of a step's operand.</summary>
    internal interface IOperandKind
    {
        static abstract T Take<T, TOperands>(TOperands operands, int slot) where T : struct where TOperands : struct, IOperands<T>;
    }

    /// <summary>An operand with one element per element of x.</summary>
    internal readonly struct EachOperand : IOperandKind
    {
        [MethodImpl(Inline)]
        public static T Take<T, TOperands>(TOperands operands, int slot) where T : struct where TOperands : struct, IOperands<T> =>
            operands.Each(slot);
    }

    /// <summary>An operand with one element per row of x.</summary>
    internal readonly struct SameOperand : IOperandKind
    {
        [MethodImpl(Inline)]
        public static T Take<T, TOperands>(TOperands operands, int slot) where T : struct where TOperands : struct, IOperands<T> =>
            operands.Same(slot);
    }

    /// <summary>Arithmetic on the value and an operand.</summary>
    internal interface IElementArithmetic
    {
        static abstract T Apply<T, TMath>(T x, T operand) where T : struct where TMath : struct, IElementMath<T>;
    }

    /// <summary>A step with an operand.</summary>
    internal readonly struct With<TArithmetic, TKind> : IChainFunction where TArithmetic : struct, IElementArithmetic
        where TKind : struct, IOperandKind
    {
        public static int Slots => 1;

        [MethodImpl(Inline)]
        public static T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
            where TOperands : struct, IOperands<T> =>
            TArithmetic.Apply<T, TMath>(x, TKind.Take<T, TOperands>(operands, slot));
    }

    /// <summary>x + operand.</summary>
    internal readonly struct Sum : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Add(x, operand);
    }

    /// <summary>x − operand.</summary>
    internal readonly struct Difference : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Subtract(x, operand);
    }

    /// <summary>operand − x.</summary>
    internal readonly struct DifferenceTo : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Subtract(operand, x);
    }

    /// <summary>x · operand.</summary>
    internal readonly struct Product : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Multiply(x, operand);
    }

    /// <summary>x / operand.</summary>
    internal readonly struct Quotient : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Divide(x, operand);
    }

    /// <summary>operand / x.</summary>
    internal readonly struct QuotientOf : IElementArithmetic
    {
        [MethodImpl(Inline)]
        public static T Apply<T, TMath>(T x, T operand)
        where T : struct where TMath : struct, IElementMath<T> => TMath.Divide(operand, x);
    }
}
