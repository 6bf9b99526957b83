using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Arithmetic with every kind of broadcasting.</summary>
public sealed class BinaryCases : IOpCases
{
    private const double Float32Rounding = 1e-7; // one rounding, 2^-24 relative

    public Type Op => typeof(Binary);

    public IEnumerable<OpCase> Cases =>
    [
        .. Enum.GetValues<BinaryFunction>().Select(f => Case($"{f}, same shape", [3, 5, 37], [3, 5, 37], function: f)),
        Case("one element each", [1], [1]),
        Case("scalar", [3, 19], []),
        Case("one number", [2, 3, 19], [1]),
        Case("bias per channel", [2, 6, 33], [33]),
        Case("time embedding over an image", [2, 4, 5, 35], [2, 1, 1, 35]),
        Case("one row of an image", [2, 4, 5, 20], [5, 20]),
        Case("one column of an image", [2, 4, 5, 20], [2, 4, 1, 20]),
        Case("one number per token", [2, 7, 40], [2, 7, 1]),
        Case("one number per image", [3, 4, 5, 20], [3, 1, 1, 1]),
        Case("width of one", [2, 7, 1], [2, 7, 1]),
        Case("several runs", [9001], [9001]),
        Case("SDXL residual", [2, 64, 640], [2, 64, 640]),
        Case("both column views", [3, 4, 30], [3, 4, 30], 5, 7),
        Case("column view of a", [3, 4, 30], [3, 4, 30], 5),
        Case("column view of b, broadcast", [3, 4, 30], [4, 30], 0, 7),
        new("division by zero", new Binary(BinaryFunction.Divide), [CaseTensor.Of([3], 1, -1, 0), CaseTensor.Of([3], 0, 0, 0)],
            Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var (a, b) = (inputs[0], inputs[1]);
        double[] y = new double[output.Count];
        for (int i = 0; i < y.Length; i++)
        {
            // Digits of i in a's sizes, innermost first; b's position uses those of its own sizes that are not 1.
            int rest = i, at = 0, stride = 1;
            for (int d = 1; d <= a.Shape.Rank; d++)
            {
                int size = d <= b.Shape.Rank ? b.Shape[^d] : 1;
                if (size > 1) at += rest % a.Shape[^d] * stride;
                stride *= size;
                rest /= a.Shape[^d];
            }

            y[i] = ((Binary)op).Function switch
            {
                BinaryFunction.Add => a.Values[i] + b.Values[at],
                BinaryFunction.Subtract => a.Values[i] - b.Values[at],
                BinaryFunction.Multiply => a.Values[i] * b.Values[at],
                _ => a.Values[i] / b.Values[at],
            };
        }

        return y;
    }

    private static OpCase Case(string name, Shape a, Shape b, int paddingA = 0, int paddingB = 0,
        BinaryFunction function = BinaryFunction.Subtract) =>
        new(name, new Binary(function), [CaseTensor.Normal(a, 1, padding: paddingA), CaseTensor.Normal(b, 2, padding: paddingB)],
            Float32Rounding);
}
