using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Dynamic int8 quantisation; integers must be equal.</summary>
public sealed class QuantizeCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Quantize);

    public IEnumerable<OpCase> Cases =>
    [
        new("one element", new Quantize(), [CaseTensor.Of([1, 1], -3)], Exact),
        new("zeros", new Quantize(), [CaseTensor.Of([1, 3], 0, 0, 0)], Exact),
        new("ties go to even", new Quantize(), [CaseTensor.Of([1, 6], 127, 0.5, 1.5, -0.5, -2.5, -127)], Exact),
        new("odd width", new Quantize(), [CaseTensor.Normal([7, 131], 1, 5)], Exact),
        new("one over a chunk", new Quantize(), [CaseTensor.Normal([3, 65], 2)], Exact),
        new("large and small rows", new Quantize(), [new([2, 40], i => i < 40 ? 1e30 * Math.Sin(i) : 1e-30 * Math.Sin(i))], Exact),
        new("SDXL tokens, column view", new Quantize(), [CaseTensor.Normal([2, 16, 640], 3, padding: 64)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        double[] y = new double[output.Count];
        for (int row = 0; row < inputs[0].Rows; row++)
        {
            var x = inputs[0].Row(row);
            float scale = Scale(x); // float32 by definition: the integers depend on its rounding
            for (int i = 0; i < x.Length; i++) y[row * x.Length + i] = Math.Clamp(MathF.Round((float)x[i] / scale), -127, 127);
        }

        return y;
    }

    /// <summary>max|x| / 127, or 1 for a row of zeros.</summary>
    public static float Scale(ReadOnlySpan<double> x)
    {
        double max = 0;
        foreach (double value in x) max = Math.Max(max, Math.Abs(value));
        return max == 0 ? 1 : (float)max / 127;
    }
}

/// <summary>The scales of dynamic int8 quantisation.</summary>
public sealed class QuantizeScaleCases : IOpCases
{
    public Type Op => typeof(QuantizeScale);

    public IEnumerable<OpCase> Cases => [.. new QuantizeCases().Cases.Select(c => new OpCase(c.Name, new QuantizeScale(), c.Inputs, 0))];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. Enumerable.Range(0, inputs[0].Rows).Select(row => (double)QuantizeCases.Scale(inputs[0].Row(row)))];
}
