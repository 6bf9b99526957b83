using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Chains of every kind of step, with every kind of operand; the reference applies the steps' references in order.</summary>
public sealed class ElementwiseCases : IOpCases
{
    private const double Float32Roundings = 4e-6; // up to seven steps, each within 1e-6 of its own argument's scale

    private static readonly ElementwiseStep Silu = new(new Unary(UnaryFunction.Silu)), Half = new(new Affine(0.5, -0.25)),
        Limit = new(new Clamp(-1.5, 0.75));

    public Type Op => typeof(Elementwise);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one element", [1], [Half, Silu]),
        Case("one step", [3, 19], [Limit]),
        Case("no operand", [2, 5, 37], [Silu, Half, Limit]),
        Case("several runs", [9001], [Half, Silu]),
        Case("column view", [3, 4, 30], [Half, Silu], padding: 5),
        .. Enum.GetValues<UnaryFunction>().Select(f => Case($"{f} between numbers", [3, 35], [Half, new(new Unary(f)), Half])),
        .. Enum.GetValues<BinaryFunction>().Select(f => Case($"{f} with an operand", [3, 35], [Half, With(f), Limit], [[3, 35]])),
        .. Enum.GetValues<BinaryFunction>().Select(f => Case($"{f} after an operand", [3, 35], [Half, With(f, true), Limit], [[3, 35]])),
        Case("several runs with operands", [3, 3001], [With(BinaryFunction.Add), Silu, With(BinaryFunction.Multiply)], [[3, 3001], [1]]),
        Case("time embedding over an image", [2, 4, 5, 35], [With(BinaryFunction.Add), Silu], [[2, 1, 1, 35]]),
        Case("bias, number per token, number per image, number", [2, 4, 5, 20],
            [With(BinaryFunction.Add), With(BinaryFunction.Multiply), Silu, With(BinaryFunction.Subtract), With(BinaryFunction.Multiply)],
            [[20], [2, 4, 5, 1], [2, 1, 1, 1], []]),
        Case("operands as column views", [3, 4, 30], [With(BinaryFunction.Add), Silu, With(BinaryFunction.Subtract, true)],
            [[3, 4, 30], [3, 4, 30]], 7),
        Case("width of one", [2, 7, 1], [With(BinaryFunction.Add), Silu, With(BinaryFunction.Multiply)], [[2, 7, 1], [7, 1]]),
        Case("as many operands as there may be", [2, 33], [.. Enumerable.Repeat(With(BinaryFunction.Add), 8)],
            [.. Enumerable.Repeat<Shape>([2, 33], 8)]),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var value = inputs[0];
        int operand = 1;
        foreach (var step in ((Elementwise)op).Steps)
        {
            var cases = OpCatalog.Cases.Single(c => c.Op == step.Op.GetType());
            ReferenceTensor[] arguments = !step.HasOperand ? [value] : step.OperandFirst ? [inputs[operand++], value]
                : [value, inputs[operand++]];
            value = new ReferenceTensor(output, cases.Reference(step.Op, arguments, output));
        }

        return value.Values;
    }

    private static ElementwiseStep With(BinaryFunction function, bool operandFirst = false) => new(new Binary(function), operandFirst);

    private static OpCase Case(string name, Shape x, ElementwiseStep[] steps, Shape[]? operands = null, int padding = 0) =>
        new(name, new Elementwise([.. steps]),
        [CaseTensor.Normal(x, 1, padding: padding),
            .. (operands ?? []).Select((shape, i) => Away(CaseTensor.Normal(shape, 2 + i, padding: shape.Rank > 1 ? padding : 0)))],
                Float32Roundings);

    /// <summary>No operand is near zero, because quotients could then be arbitrarily large.</summary>
    private static CaseTensor Away(CaseTensor tensor) =>
        tensor with { Values = i => tensor.Values(i) is var v && v < 0 ? v - 0.5 : v + 0.5 };
}
