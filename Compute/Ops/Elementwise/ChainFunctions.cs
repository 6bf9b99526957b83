using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.BinaryChainFunctions;
using static ILGpuDiffusion.Compute.Ops.UnaryChainFunctions;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// An elementwise function as a type: empty structs composed as generic arguments, which the compiler inlines completely.
/// </summary>
internal interface IChainFunction
{
    /// <summary>Number of operands and constants that it takes.</summary>
    static abstract int Slots { get; }

    /// <summary>f(x).</summary>
    /// <param name="x">Value of the chain so far.</param>
    /// <param name="operands">Operands and constants.</param>
    /// <param name="slot">Index of its first slot.</param>
    static abstract T Apply<T, TMath, TOperands>(T x, TOperands operands, int slot) where T : struct where TMath : struct, IElementMath<T>
        where TOperands : struct, IOperands<T>;
}

/// <summary>Converts a chain's steps to a type, and to the constants of its slots.</summary>
internal static class ChainFunctions
{
    /// <summary>The chain as a type.</summary>
    /// <param name="op">The chain.</param>
    /// <param name="isSame">For each operand, whether it has one element per row of x: <see cref="IOperands{T}.Same"/>.</param>
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

    /// <summary>A step's attributes, in the order of its slots.</summary>
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
        Unary { Function: UnaryFunction.Exp } => typeof(Of<Exp>),
        Binary binary => RuntimeTypes.Close(
            typeof(With<,>),
            binary.Function switch
            {
                BinaryFunction.Add => typeof(Sum), // commutative, bit for bit
                BinaryFunction.Multiply => typeof(Product),
                BinaryFunction.Subtract => step.OperandFirst ? typeof(DifferenceTo) : typeof(Difference),
                BinaryFunction.Divide => step.OperandFirst ? typeof(QuotientOf) : typeof(Quotient),
                var unknown => throw new DeviceException($"elementwise: no kernel for {unknown}."),
            },
            same ? typeof(SameOperand) : typeof(EachOperand)),
        var unknown => throw new DeviceException($"elementwise: no kernel for {unknown}."),
    };
}
