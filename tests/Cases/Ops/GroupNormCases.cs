using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Group normalisation of SDXL's UNet and VAE, and sizes around the kernel's blocks and bundles.</summary>
public sealed class GroupNormCases : IOpCases
{
    private const double Float32Rounding = 3e-6; // sums of at most 32768 values about a near mean, and three roundings per element

    public Type Op => typeof(GroupNormalization);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one element per group", [1, 1, 4], 4),
        Case("one group", [2, 3, 5], 1),
        Case("one channel per group", [2, 9, 7], 7),
        Case("fewer channels than lanes", [2, 3, 3, 6], 3, silu: true),
        Case("odd channels", [2, 5, 3, 99], 33, silu: true),
        Case("ten channels per group", [1, 8, 8, 320], 32),
        Case("thirty channels per group, bundles end mid-register", [2, 4, 4, 960], 32, silu: true),
        Case("groups wider than a bundle", [1, 4, 3, 640], 4),
        Case("one row over a block", [1, 257, 128], 32, silu: true),
        Case("SDXL up block, 2560 channels", [1, 16, 16, 2560], 32, silu: true),
        Case("VAE, 128 channels", [1, 96, 96, 128], 32, silu: true),
        Case("batch of two tokens", [2, 64, 640], 32),
        Case("float16 parameters", [2, 4, 4, 64], 32, dtype: DType.Float16),
        Case("bfloat16 parameters", [2, 4, 4, 64], 32, dtype: DType.BFloat16),
        Case("column view", [2, 4, 4, 64], 32, padding: 36),
        new("constant input", new GroupNormalization(4, 1e-5),
            [new([1, 9, 8], _ => 3), CaseTensor.Normal([8], 1), CaseTensor.Normal([8], 2)], Float32Rounding),
        new("mean 100, deviation 1e-3", new GroupNormalization(8, 1e-10),
            [new([1, 300, 32], i => 100 + 1e-3 * Math.Sin(i * 0.7)), CaseTensor.Normal([32], 1), CaseTensor.Normal([32], 2)],
                Float32Rounding),
        new("an outlier in the first row", new GroupNormalization(2, 1e-5),
            [new([1, 600, 64], i => i == 3 ? 1e4 : Math.Sin(i * 0.7)), CaseTensor.Normal([64], 1), CaseTensor.Normal([64], 2)],
                Float32Rounding),
        new("large values", new GroupNormalization(2, 1e-5, Silu: true),
            [CaseTensor.Normal([1, 40, 32], 3, 1e8), CaseTensor.Normal([32], 1), CaseTensor.Normal([32], 2)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var norm = (GroupNormalization)op;
        var (x, weight, bias) = (inputs[0], inputs[1].Values, inputs[2].Values);
        int channels = x.Width, rows = x.Rows / x.Shape[0], width = channels / norm.Groups;
        double[] y = new double[output.Count];
        for (int n = 0; n < x.Shape[0]; n++)
        {
            for (int g = 0; g < norm.Groups; g++)
            {
                int[] at = [.. from row in Enumerable.Range(n * rows, rows) from c in Enumerable.Range(g * width, width) select row
                    * channels + c];
                double mean = at.Average(i => x.Values[i]);
                double variance = at.Average(i => (x.Values[i] - mean) * (x.Values[i] - mean));
                foreach (int i in at)
                {
                    double v = (x.Values[i] - mean) / Math.Sqrt(variance + norm.Epsilon) * weight[i % channels] + bias[i % channels];
                    y[i] = norm.Silu ? v / (1 + Math.Exp(-v)) : v;
                }
            }
        }

        return y;
    }

    private static OpCase Case(string name, Shape shape, int groups, bool silu = false, DType dtype = DType.Float32, int padding = 0) =>
        new(name, new GroupNormalization(groups, 1e-5, silu),
            [CaseTensor.Normal(shape, 1, 2, padding: padding), CaseTensor.Normal([shape.Last], 2, 1, dtype),
                CaseTensor.Normal([shape.Last], 3, 1, dtype)], Float32Rounding);
}
