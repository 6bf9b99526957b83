using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>The gate of transformer blocks.</summary>
public sealed class GeGluCases : IOpCases
{
    private const double Float32Rounding = 1e-6; // the bound that the op states

    public Type Op => typeof(GeGlu);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pair", new GeGlu(), [CaseTensor.Of([1, 2], 2, -0.5)], Float32Rounding),
        new("odd half", new GeGlu(), [CaseTensor.Normal([3, 5, 38], 1, 2)], Float32Rounding),
        new("SDXL", new GeGlu(), [CaseTensor.Normal([2, 8, 5120], 2, 2)], Float32Rounding),
        new("column view", new GeGlu(), [CaseTensor.Normal([4, 66], 3, 2, padding: 11)], Float32Rounding),
        new("large gates", new GeGlu(), [CaseTensor.Of([1, 8], 1, 2, 3, 4, 1e20, -1e20, 40, -40)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        double[] y = new double[output.Count];
        for (int i = 0; i < y.Length; i++)
        {
            var row = inputs[0].Row(i / output.Last);
            y[i] = row[i % output.Last] * SpecialFunctions.Gelu(row[i % output.Last + output.Last]);
        }

        return y;
    }
}
