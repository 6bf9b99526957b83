using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cases;

/// <summary>Doubling, and resizing to a skip connection's odd size.</summary>
public sealed class UpsampleCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Upsample);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new Upsample(), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("odd sizes", new Upsample(), [CaseTensor.Normal([2, 3, 5, 7], 2)], Exact),
        new("SDXL", new Upsample(), [CaseTensor.Normal([1, 16, 16, 320], 3)], Exact),
        new("column view", new Upsample(), [CaseTensor.Normal([1, 3, 4, 20], 4, padding: 6)], Exact),
        new("to an odd size", new Upsample(), [CaseTensor.Normal([1, 5, 7, 4], 5), new([1, 9, 13, 2], _ => 0)], Exact),
        new("to a smaller size", new Upsample(), [CaseTensor.Normal([1, 5, 7, 4], 5), new([1, 3, 4, 2], _ => 0)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var x = inputs[0];
        double[] y = new double[output.Count];
        for (int i = 0; i < y.Length; i++)
        {
            int c = i % output[3], column = i / output[3] % output[2], row = i / output[3] / output[2] % output[1], n = i / output[3] / output[2] / output[1];
            y[i] = x.Values[((n * x.Shape[1] + row * x.Shape[1] / output[1]) * x.Shape[2] + column * x.Shape[2] / output[2]) * x.Width + c];
        }

        return y;
    }
}
