using System.Numerics;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>FreeU's filter, against a discrete Fourier transform written out.</summary>
public sealed class FourierFilterCases : IOpCases
{
    private const double SumsOfPixels = 1e-5; // float32 sums over all pixels of a channel
    private const double TransformThereAndBack = 1e-7; // float64 rounding of the reference, then to float32

    public Type Op => typeof(FourierFilter);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new FourierFilter(0.5), [CaseTensor.Normal([1, 1, 1, 3], 1)], SumsOfPixels),
        new("one row", new FourierFilter(0.2), [CaseTensor.Normal([1, 1, 5, 4], 2)], SumsOfPixels),
        new("odd sides, two images", new FourierFilter(0.9), [CaseTensor.Normal([2, 5, 7, 19], 3)], SumsOfPixels),
        new("column view", new FourierFilter(0), [CaseTensor.Normal([1, 8, 6, 33], 4, padding: 5)], SumsOfPixels),
        new("scale 1 changes nothing", new FourierFilter(1), [CaseTensor.Normal([1, 4, 4, 8], 5)], TransformThereAndBack),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var (n, h, w, c) = (output[0], output[1], output[2], output[3]);
        double scale = ((FourierFilter)op).Scale;
        double[] y = new double[output.Count];
        for (int image = 0; image < n; image++)
            for (int channel = 0; channel < c; channel++)
            {
                int At(int row, int column) => ((image * h + row) * w + column) * c + channel;
                Complex Wave(int u, int v, int row, int column) =>
                    Complex.FromPolarCoordinates(1, 2 * Math.PI * ((double)u * row / h + (double)v * column / w));
                for (int u = 0; u < h; u++)
                    for (int v = 0; v < w; v++)
                    {
                        bool low = (u == 0 || u == h - 1) && (v == 0 || v == w - 1);
                        var frequency = Complex.Zero;
                        for (int p = 0; p < h * w; p++)
                            frequency += inputs[0].Values[At(p / w, p % w)] * Complex.Conjugate(Wave(u, v, p / w, p % w));
                        for (int p = 0; p < h * w; p++)
                            y[At(p / w, p % w)] += ((low ? scale : 1) * frequency * Wave(u, v, p / w, p % w)).Real / (h * w);
                    }
            }

        return y;
    }
}
