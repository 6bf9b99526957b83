using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Latents of one and more entries.</summary>
public sealed class RescaleGuidanceCases : IOpCases
{
    private const double Float32Sums = 2e-6; // moments of runs of 4096 values, one product per element

    public Type Op => typeof(RescaleGuidance);

    public IEnumerable<OpCase> Cases =>
    [
        Case("two elements", [1, 2], 0.7),
        Case("latents of SDXL", [2, 64, 64, 4], 0.7),
        Case("no rescaling", [1, 5, 7], 0),
        Case("full rescaling", [3, 5, 7], 1),
        Case("column views", [2, 6, 9], 0.5, 4),
        new("one element has no deviation", new RescaleGuidance(),
            [CaseTensor.Of([1, 1], 2), CaseTensor.Of([1, 1], 3), CaseTensor.Of([1], 0.5)], Float32Sums),
        new("large mean", new RescaleGuidance(),
            [new([1, 5000], i => 50 + Math.Sin(i)), new([1, 5000], i => 70 + Math.Cos(i)), CaseTensor.Of([1], 0.5)], Float32Sums),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int length = inputs[0].Values.Length / output[0];
        double phi = inputs[2].Values[0];
        return [.. inputs[0].Values.Chunk(length).Zip(inputs[1].Values.Chunk(length))
            .SelectMany(pair => pair.First.Select(x => phi * x * Deviation(pair.Second) / Deviation(pair.First) + (1 - phi) * x))];
    }

    private static double Deviation(double[] x)
    {
        double mean = x.Average();
        return Math.Sqrt(x.Sum(v => (v - mean) * (v - mean)) / (x.Length - 1));
    }

    private static OpCase Case(string name, Shape shape, double phi, int padding = 0) =>
        new(name, new RescaleGuidance(),
            [CaseTensor.Normal(shape, 1, 3, padding: padding), CaseTensor.Normal(shape, 2, padding: padding), CaseTensor.Of([1], phi)],
                Float32Sums);
}
