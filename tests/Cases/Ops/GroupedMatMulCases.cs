using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Query, key and value; unequal widths; weights stored in different types.</summary>
public sealed class GroupedMatMulCases : IOpCases
{
    private const double Float32Sums = 4e-6; // as MatMul

    public Type Op => typeof(GroupedMatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one of one", [1, 1], [1]),
        Case("unequal widths", [13, 29], [7, 40, 1]),
        Case("self-attention", [2, 40, 96], [96, 96, 96]),
        Case("time projections", [2, 1, 1, 128], [32, 64, 32, 17], bias: true),
        Case("column view", [3, 5, 24], [16, 9], bias: true, padding: 8),
        new("mixed weights", new GroupedMatMul(2),
            [CaseTensor.Normal([20, 33], 1), CaseTensor.Normal([12, 33], 2, 0.2, DType.BFloat16), CaseTensor.Normal([9, 33, 1, 1], 3, 0.2)],
                Float32Sums),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int count = ((GroupedMatMul)op).Count, column = 0;
        double[] y = new double[output.Count];
        for (int i = 0; i < count; i++)
        {
            var w = inputs[1 + i];
            int width = w.Shape[0];
            int[] part = output.Sizes.ToArray();
            part[^1] = width;
            ReferenceTensor[] arguments = inputs.Length > 1 + count ? [inputs[0], w, inputs[1 + count + i]] : [inputs[0], w];
            double[] result = new MatMulCases().Reference(new MatMul(), arguments, Shape.Create(part));
            for (int j = 0; j < result.Length; j++) y[j / width * output.Last + column + j % width] = result[j];
            column += width;
        }

        return y;
    }

    private static OpCase Case(string name, Shape x, int[] widths, bool bias = false, int padding = 0)
    {
        CaseTensor[] weights = [.. widths.Select((width, i) => CaseTensor.Normal([width, x.Last], 2 + i, 1 / Math.Sqrt(x.Last)))];
        CaseTensor[] biases = bias ? [.. widths.Select((width, i) => CaseTensor.Normal([width], 20 + i))] : [];
        return new(name, new GroupedMatMul(widths.Length), [CaseTensor.Normal(x, 1, padding: padding), .. weights, .. biases], Float32Sums);
    }
}
