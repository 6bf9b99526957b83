using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Query, key and value with int8 weights; unequal widths.</summary>
public sealed class GroupedQuantizedMatMulCases : IOpCases
{
    private const double ThreeRoundings = 3e-7; // as QuantizedMatMul

    public Type Op => typeof(GroupedQuantizedMatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one of one", [1, 1], [1]),
        Case("unequal widths, odd depth", [13, 29], [7, 40, 1]),
        Case("self-attention", [2, 40, 96], [96, 96, 96], bias: true),
        Case("column view", [3, 5, 24], [16, 9], bias: true, padding: 8),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int count = ((GroupedQuantizedMatMul)op).Count, column = 0;
        double[] y = new double[output.Count];
        for (int i = 0; i < count; i++)
        {
            int width = inputs[1 + i].Shape[0];
            int[] part = output.Sizes.ToArray();
            part[^1] = width;
            ReferenceTensor[] arguments = [inputs[0], .. Enumerable.Range(0, (inputs.Length - 1) / count)
                .Select(j => inputs[1 + j * count + i])];
            double[] result = new QuantizedMatMulCases().Reference(new QuantizedMatMul(), arguments, Shape.Create(part));
            for (int j = 0; j < result.Length; j++) y[j / width * output.Last + column + j % width] = result[j];
            column += width;
        }

        return y;
    }

    private static OpCase Case(string name, Shape x, int[] widths, bool bias = false, int padding = 0)
    {
        CaseTensor[] weights = [.. widths.Select((width, k) =>
            new CaseTensor([width, x.Last], i => (i * 7919 + k + i / 3) % 255 - 127, DType.Int8))];
        CaseTensor[] scales = [.. widths.Select((width, k) => new CaseTensor([width], i => 0.001 * (1 + k + i % 5)))];
        CaseTensor[] biases = bias ? [.. widths.Select((width, i) => CaseTensor.Normal([width], 20 + i))] : [];
        return new(name, new GroupedQuantizedMatMul(widths.Length),
            [CaseTensor.Normal(x, 1, padding: padding), .. weights, .. scales, .. biases], ThreeRoundings);
    }
}
