using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Quantiles between and at elements, limits below and above them, entries with ties.</summary>
public sealed class DynamicThresholdCases : IOpCases
{
    // the rank, up to 65535, is known to 0.004 of the gap between two neighbours; results are about 1
    private const double Float32Rank = 1e-4;

    public Type Op => typeof(DynamicThreshold);

    public IEnumerable<OpCase> Cases =>
    [
        new("one element", new DynamicThreshold(0.995, 4), [CaseTensor.Of([1, 1], -3)], Float32Rank),
        new("between two elements", new DynamicThreshold(0.6, 100), [CaseTensor.Of([1, 4], -1, 7, 3, -5)], Float32Rank),
        new("largest element", new DynamicThreshold(1, 100), [CaseTensor.Of([2, 4], -1, 7, 3, -5, 2, 2, 2, -9)], Float32Rank),
        new("ties", new DynamicThreshold(0.5, 100), [CaseTensor.Of([1, 6], 2, -2, 2, 2, -2, 3)], Float32Rank),
        new("below one", new DynamicThreshold(0.9, 4), [CaseTensor.Normal([2, 300], 1, 0.2)], Float32Rank),
        new("above the largest value", new DynamicThreshold(0.9, 1.5), [CaseTensor.Normal([2, 300], 2, 9)], Float32Rank),
        new("latents of SDXL", new DynamicThreshold(0.995, 40), [CaseTensor.Normal([2, 64, 64, 4], 3, 5)], Float32Rank),
        new("column view", new DynamicThreshold(0.7, 40), [CaseTensor.Normal([2, 9, 5], 4, 5, padding: 2)], Float32Rank),
        new("not a number", new DynamicThreshold(0.7, 40), [CaseTensor.Of([2, 3], 1, double.NaN, 5, 1, 2, 3)], Float32Rank),
        new("infinity", new DynamicThreshold(0.3, 40), [CaseTensor.Of([1, 4], 3, double.PositiveInfinity, 5, -2)], Float32Rank),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var threshold = (DynamicThreshold)op;
        int length = inputs[0].Values.Length / output[0];
        return [.. inputs[0].Values.Chunk(length).SelectMany(entry =>
        {
            if (entry.Any(double.IsNaN)) return entry.Select(_ => double.NaN);
            double[] sorted = [.. entry.Select(Math.Abs).Order()];
            double rank = threshold.Ratio * (length - 1), weight = rank - Math.Floor(rank);
            double quantile = sorted[(int)rank]
                + (weight == 0 ? 0 : weight * (sorted[Math.Min((int)rank + 1, length - 1)] - sorted[(int)rank]));
            double s = Math.Min(Math.Max(quantile, 1), threshold.MaxValue);
            return entry.Select(x => Math.Clamp(x, -s, s) / s);
        })];
    }
}
