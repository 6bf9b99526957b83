using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Heads of Flux and odd little ones.</summary>
public sealed class RotaryEmbeddingCases : IOpCases
{
    private const double Float32Rounding = 3e-7; // two products and a sum

    public Type Op => typeof(RotaryEmbedding);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one pair", [1, 1, 2], 1),
        Case("three heads of six", [2, 5, 18], 3),
        Case("one over a register", [1, 3, 68], 2),
        Case("Flux", [1, 20, 512], 4),
        Case("column view", [2, 3, 40], 2, 5),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var (x, cos, sin) = (inputs[0].Values, inputs[1], inputs[2]);
        int width = output[2] / ((RotaryEmbedding)op).Heads;
        double[] y = new double[output.Count];
        for (int i = 0; i < y.Length; i++)
        {
            int at = i / output[2] % output[1] * width + i % width;
            double partner = i % 2 == 0 ? -x[i + 1] : x[i - 1];
            y[i] = x[i] * cos.Values[at] + partner * sin.Values[at];
        }

        return y;
    }

    private static OpCase Case(string name, Shape shape, int heads, int padding = 0)
    {
        int width = shape[2] / heads;
        return new(name, new RotaryEmbedding(heads),
            [CaseTensor.Normal(shape, 1, padding: padding), new([shape[1], width], i => Math.Cos(i / 2 * 0.3), Padding: padding),
                new([shape[1], width], i => Math.Sin(i / 2 * 0.3 + i % 2 * 0.01))], Float32Rounding);
    }
}
