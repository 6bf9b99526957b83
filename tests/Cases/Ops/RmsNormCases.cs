using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Root-mean-square normalisation: T5's layers, per-head queries and keys of SD 3.5 and Flux.</summary>
public sealed class RmsNormCases : IOpCases
{
    private const double Float32Rounding = 2e-6; // a sum of up to 4096 squares in 32 slices, and three roundings per element

    public Type Op => typeof(RmsNormalization);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one element", [1, 1]),
        Case("fewer than a register", [3, 5]),
        Case("odd width", [5, 131]),
        Case("no weight", [4, 67], weight: false),
        Case("T5 tokens", [1, 30, 4096]),
        Case("head of Flux", [2, 9, 24, 128]),
        Case("float16 weight", [3, 70], dtype: DType.Float16),
        Case("bfloat16 weight", [3, 70], dtype: DType.BFloat16),
        Case("column view", [2, 3, 40], padding: 9),
        new("zeros", new RmsNormalization(1e-6), [new([2, 50], _ => 0)], Float32Rounding),
        new("large values", new RmsNormalization(1e-6), [CaseTensor.Normal([3, 100], 4, 1e8)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var x = inputs[0];
        double[] y = new double[output.Count];
        for (int row = 0; row < x.Rows; row++)
        {
            double[] values = x.Row(row).ToArray();
            double root = Math.Sqrt(values.Average(v => v * v) + ((RmsNormalization)op).Epsilon);
            for (int i = 0; i < values.Length; i++)
                y[row * values.Length + i] = values[i] / root * (inputs.Length > 1 ? inputs[1].Values[i] : 1);
        }

        return y;
    }

    private static OpCase Case(string name, Shape shape, bool weight = true, DType dtype = DType.Float32, int padding = 0)
    {
        var x = CaseTensor.Normal(shape, 1, 2, padding: padding);
        return new(name, new RmsNormalization(1e-6), weight ? [x, CaseTensor.Normal([shape.Last], 2, 1, dtype)] : [x], Float32Rounding);
    }
}
