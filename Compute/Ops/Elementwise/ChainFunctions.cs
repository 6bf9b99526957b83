using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.BinaryChainFunctions;
using static ILGpuDiffusion.Compute.Ops.UnaryChainFunctions;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>A function of an element as a type: empty structs, put together as generic arguments, so that a compiler sees through them all.</summary>
internal interface IChainFunction
{
    /// <summary>Operands and numbers that it takes.</summary>
    static abstract int Slots { get; }

    /// <summary>f(x).</summary>
    /// <param name="x">The value so far.</param>
    /// <param name="operands">What it takes beside it.</param>
    /// <param name="slot">The first of its slots.</param>
    static abstract T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T> where TOperands : struct, IOperands<T>;
}

/// <summary>From a chain's steps to a type, and the numbers that fill its slots.</summary>
internal static class ChainFunctions
{
    /// <summary>The chain as a type.</summary>
    /// <param name="op">The chain.</param>
    /// <param name="isSame">Of each operand, whether it has one element per row of the value: <see cref="IOperands{T}.Same"/>.</param>
    public static Type Of(Elementwise op, ReadOnlySpan<bool> isSame)
    {
        Type? chain = null;
        int operand = 0;
        foreach (var step in op.Steps)
        {
            var function = FunctionOf(step, step.HasOperand && isSame[operand++]);
            chain = chain is null ? function : RuntimeTypes.Close(typeof(Then<,>), chain, function);
        }

        return chain!;
    }

    /// <summary>Slots of one step.</summary>
    public static int SlotsOf(ElementwiseStep step) => step.Op switch { Unary => 0, Binary => 1, _ => 2 };

    /// <summary>The numbers that are a step's attributes, in the order of its slots.</summary>
    public static ReadOnlySpan<float> NumbersOf(ElementwiseStep step) => step.Op switch
    {
        Affine affine => new[] { (float)affine.Scale, (float)affine.Offset },
        Clamp clamp => new[] { (float)clamp.Low, (float)clamp.High },
        _ => [],
    };

    private static Type FunctionOf(ElementwiseStep step, bool same) => step.Op switch
    {
        Affine => typeof(Line),
        Clamp => typeof(Between),
        Unary { Function: UnaryFunction.Silu } => typeof(Of<Silu>),
        Unary { Function: UnaryFunction.Gelu } => typeof(Of<Gelu>),
        Unary { Function: UnaryFunction.GeluTanh } => typeof(Of<GeluTanh>),
        Unary { Function: UnaryFunction.QuickGelu } => typeof(Of<QuickGelu>),
        Unary { Function: UnaryFunction.Relu } => typeof(Of<Relu>),
        Unary { Function: UnaryFunction.Tanh } => typeof(Of<Tanh>),
        Unary { Function: UnaryFunction.Sigmoid } => typeof(Of<Sigmoid>),
        Unary { Function: UnaryFunction.Softplus } => typeof(Of<Softplus>),
        Unary { Function: UnaryFunction.Mish } => typeof(Of<Mish>),
        Binary binary => RuntimeTypes.Close(
            typeof(With<,>),
            binary.Function switch
            {
                BinaryFunction.Add => typeof(Sum), // the same bits whichever side is which
                BinaryFunction.Multiply => typeof(Product),
                BinaryFunction.Subtract => step.OperandFirst ? typeof(DifferenceTo) : typeof(Difference),
                BinaryFunction.Divide => step.OperandFirst ? typeof(QuotientOf) : typeof(Quotient),
                var unknown => throw new DeviceException($"elementwise: no kernel for {unknown}."),
            },
            same ? typeof(SameOperand) : typeof(EachOperand)),
        var unknown => throw new DeviceException($"elementwise: no kernel for {unknown}."),
    };
}
