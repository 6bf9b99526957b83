using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Layer normalisation of transformer blocks and text encoders.</summary>
public sealed class LayerNormCases : IOpCases
{
    private const double Float32Rounding = 3e-6; // sums of up to 5120 values about a near mean, and three roundings per element

    public Type Op => typeof(LayerNormalization);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one element", [1, 1]),
        Case("fewer than a register", [3, 5]),
        Case("odd width", [5, 131]),
        Case("one over two registers", [4, 33]),
        Case("no parameters", [4, 67], parameters: 0),
        Case("weight only", [4, 67], parameters: 1),
        Case("SDXL tokens", [2, 64, 1280]),
        Case("CLIP tokens", [1, 77, 768]),
        Case("wide", [2, 5120], parameters: 0),
        Case("float16 parameters", [3, 70], dtype: DType.Float16),
        Case("bfloat16 parameters", [3, 70], dtype: DType.BFloat16),
        Case("column view", [2, 3, 40], padding: 9),
        new("constant row", new LayerNormalization(1e-5), [new([2, 50], _ => -7)], Float32Rounding),
        new("mean 100, deviation 1e-3", new LayerNormalization(1e-10), [new([2, 320], i => 100 + 1e-3 * Math.Sin(i * 0.7))],
            Float32Rounding),
        new("large values", new LayerNormalization(1e-5), [CaseTensor.Normal([3, 100], 4, 1e8)], Float32Rounding),
        new("not a number", new LayerNormalization(1e-5), [CaseTensor.Of([1, 3], 1, double.NaN, 2)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var x = inputs[0];
        double[] y = new double[output.Count];
        for (int row = 0; row < x.Rows; row++)
        {
            double[] values = x.Row(row).ToArray();
            double mean = values.Average(), variance = values.Average(v => (v - mean) * (v - mean));
            for (int i = 0; i < values.Length; i++)
            {
                double v = (values[i] - mean) / Math.Sqrt(variance + ((LayerNormalization)op).Epsilon);
                y[row * values.Length + i] = v * (inputs.Length > 1 ? inputs[1].Values[i] : 1)
                    + (inputs.Length > 2 ? inputs[2].Values[i] : 0);
            }
        }

        return y;
    }

    private static OpCase Case(string name, Shape shape, int parameters = 2, DType dtype = DType.Float32, int padding = 0) =>
        new(name, new LayerNormalization(1e-5),
            [CaseTensor.Normal(shape, 1, 2, padding: padding),
                .. Enumerable.Range(0, parameters).Select(i => CaseTensor.Normal([shape.Last], 2 + i, 1, dtype))], Float32Rounding);
}
