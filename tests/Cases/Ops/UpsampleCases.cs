using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Doubling, and resizing to a skip connection's odd size.</summary>
public sealed class UpsampleCases : IOpCases
{
    private const double Exact = 0;
    // a position of up to 8 is rounded twice to 2.4e-7; times a difference of two pixels, up to five rms
    private const double Float32Rounding = 3e-6;

    public Type Op => typeof(Upsample);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new Upsample(), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("odd sizes", new Upsample(), [CaseTensor.Normal([2, 3, 5, 7], 2)], Exact),
        new("SDXL", new Upsample(), [CaseTensor.Normal([1, 16, 16, 320], 3)], Exact),
        new("column view", new Upsample(), [CaseTensor.Normal([1, 3, 4, 20], 4, padding: 6)], Exact),
        new("to an odd size", new Upsample(), [CaseTensor.Normal([1, 5, 7, 4], 5), new([1, 9, 13, 2], _ => 0)], Exact),
        new("to a smaller size", new Upsample(), [CaseTensor.Normal([1, 5, 7, 4], 5), new([1, 3, 4, 2], _ => 0)], Exact),
        new("bilinear, one pixel", new Upsample(Interpolation.Bilinear), [CaseTensor.Normal([1, 1, 1, 3], 1)], Float32Rounding),
        new("bilinear, odd sizes", new Upsample(Interpolation.Bilinear), [CaseTensor.Normal([2, 3, 5, 19], 2)], Float32Rounding),
        new("bilinear, to another size", new Upsample(Interpolation.Bilinear),
            [CaseTensor.Normal([1, 5, 7, 4], 5, padding: 3), new([1, 9, 3, 2], _ => 0)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var x = inputs[0];
        bool bilinear = ((Upsample)op).Interpolation == Interpolation.Bilinear;
        double[] y = new double[output.Count];
        for (int i = 0; i < y.Length; i++)
        {
            int c = i % output[3], column = i / output[3] % output[2], row = i / output[3] / output[2] % output[1],
                n = i / output[3] / output[2] / output[1];
            var rows = bilinear ? Neighbours(row, x.Shape[1], output[1]) : [(row * x.Shape[1] / output[1], 1.0)];
            var columns = bilinear ? Neighbours(column, x.Shape[2], output[2]) : [(column * x.Shape[2] / output[2], 1.0)];
            y[i] = (from r in rows
                    from k in columns
                    select r.Weight * k.Weight
                * x.Values[((n * x.Shape[1] + r.Index) * x.Shape[2] + k.Index) * x.Width + c]).Sum();
        }

        return y;
    }

    private static (int Index, double Weight)[] Neighbours(int i, int from, int to)
    {
        double position = Math.Max((i + 0.5) * from / to - 0.5, 0), share = position - Math.Floor(position);
        int first = Math.Min((int)position, from - 1);
        return [(first, 1 - share), (Math.Min(first + 1, from - 1), share)];
    }
}
