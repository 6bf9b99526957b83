using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Softmax over rows.</summary>
public sealed class SoftmaxCases : IOpCases
{
    private const double Float32Rounding = 2e-6; // one exp and one division per element, a sum of up to 4096 terms

    public Type Op => typeof(Softmax);

    public IEnumerable<OpCase> Cases =>
    [
        new("one element", new Softmax(), [CaseTensor.Normal([1, 1], 1)], Float32Rounding),
        new("odd width", new Softmax(), [CaseTensor.Normal([5, 131], 2, 3)], Float32Rounding),
        new("logits beyond exp's range", new Softmax(), [CaseTensor.Of([1, 3], 1, 1e4, 9999)], Float32Rounding),
        new("masked by -inf", new Softmax(), [CaseTensor.Of([1, 4], 0, double.NegativeInfinity, 1, double.NegativeInfinity)],
            Float32Rounding),
        new("SDXL text keys", new Softmax(), [CaseTensor.Normal([2, 64, 77], 3, 4)], Float32Rounding),
        new("logarithm", new Softmax(Logarithm: true), [CaseTensor.Normal([5, 131], 5, 30)], Float32Rounding),
        new("logarithm of extremes", new Softmax(Logarithm: true), [CaseTensor.Of([1, 4], 1e4, -1e4, 9999, 0)], Float32Rounding),
        new("only -inf, and +inf", new Softmax(),
            [CaseTensor.Of([2, 2], double.NegativeInfinity, double.NegativeInfinity, 0, double.PositiveInfinity)], Float32Rounding),
        new("column view", new Softmax(), [CaseTensor.Normal([3, 40], 4, padding: 24)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        double[] y = new double[output.Count];
        for (int row = 0; row < inputs[0].Rows; row++)
        {
            double[] x = inputs[0].Row(row).ToArray();
            double max = x.Max(), sum = x.Sum(v => Math.Exp(v - max));
            for (int i = 0; i < x.Length; i++)
                y[row * x.Length + i] = ((Softmax)op).Logarithm ? x[i] - max - Math.Log(sum) : Math.Exp(x[i] - max) / sum;
        }

        return y;
    }
}
