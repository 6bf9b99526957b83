using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Every activation over its interesting range and beyond it.</summary>
public sealed class UnaryCases : IOpCases
{
    private const double Float32Rounding = 1e-6; // the bound that the op states

    public Type Op => typeof(Unary);

    public IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<UnaryFunction>().SelectMany(f => new OpCase[]
        {
            new($"{f} of one element", new Unary(f), [CaseTensor.Of([1], -0.3)], Float32Rounding),
            new($"{f} of an odd width", new Unary(f), [CaseTensor.Normal([3, 67], 1, 3)], Float32Rounding),
            new($"{f} of a column view", new Unary(f), [CaseTensor.Normal([2, 3, 40], 2, 3, padding: 5)], Float32Rounding),
        }),
        .. Enum.GetValues<UnaryFunction>().Where(f => f != UnaryFunction.Exp).SelectMany(f => new OpCase[]
        {
            new($"{f} over -20 to 20", new Unary(f), [new([2001], i => (i - 1000) * 0.02)], Float32Rounding),
            new($"{f} of extremes", new Unary(f), [CaseTensor.Of([8], -1e30, -200, -90, -0.0, 1e-30, 90, 200, 1e30)], Float32Rounding),
        }),
        // results stay within float16; VectorMathTests show what happens beyond
        new("Exp of extremes", new Unary(UnaryFunction.Exp), [CaseTensor.Of([7], -1e30, -200, -90, -10, -0.0, 1e-30, 11)],
            Float32Rounding),
        new("SDXL time embedding", new Unary(UnaryFunction.Silu), [CaseTensor.Normal([2, 1280], 3, 2)], Float32Rounding),
        new("several runs", new Unary(UnaryFunction.Gelu), [CaseTensor.Normal([9001], 3, 2)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. inputs[0].Values.Select(x => Apply(((Unary)op).Function, x))];

    /// <summary>The functions as papers write them.</summary>
    public static double Apply(UnaryFunction function, double x) => function switch
    {
        UnaryFunction.Silu => x * Sigmoid(x),
        UnaryFunction.Gelu => SpecialFunctions.Gelu(x),
        UnaryFunction.GeluTanh => x * 0.5 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        UnaryFunction.QuickGelu => x * Sigmoid(1.702 * x),
        UnaryFunction.Relu => Math.Max(x, 0),
        UnaryFunction.Tanh => Math.Tanh(x),
        UnaryFunction.Sigmoid => Sigmoid(x),
        UnaryFunction.Softplus => x > 20 ? x : Math.Log(1 + Math.Exp(x)),
        UnaryFunction.Mish => x * Math.Tanh(x > 20 ? x : Math.Log(1 + Math.Exp(x))),
        UnaryFunction.Exp => Math.Exp(x),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "Not a function."),
    };

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
