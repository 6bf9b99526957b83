using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>The embeddings of SD, SDXL (with its six sizes side by side) and Flux.</summary>
public sealed class TimestepEmbeddingCases : IOpCases
{
    private const double Float32Angles = 2e-4; // an angle of up to 1024 is rounded to 6e-5 twice (frequency, product); the rms is 0.7

    public Type Op => typeof(SinusoidalEmbedding);

    public IEnumerable<OpCase> Cases =>
    [
        new("one number", new SinusoidalEmbedding(2, true, 0), [CaseTensor.Of([1], 0.5)], Float32Angles),
        new("SDXL time", new SinusoidalEmbedding(320, true, 0), [CaseTensor.Of([3, 1], 999, 1, 0)], Float32Angles),
        new("SDXL sizes", new SinusoidalEmbedding(256, true, 0),
            [CaseTensor.Of([2, 6], 1024, 1024, 0, 0, 1024, 1024, 512, 768, 64, 32, 16, 8)], Float32Angles),
        new("sine first, shift 1", new SinusoidalEmbedding(320, false, 1), [CaseTensor.Of([2], 999, 500.25)], Float32Angles),
        new("odd width", new SinusoidalEmbedding(31, true, 0), [CaseTensor.Of([2], 41, 3)], Float32Angles),
        new("scaled", new SinusoidalEmbedding(64, true, 0, 1000), [CaseTensor.Of([2], 1, 0.03125)], Float32Angles),
        new("column view", new SinusoidalEmbedding(20, true, 0), [CaseTensor.Normal([3, 2], 1, 100, padding: 3)], Float32Angles),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var embedding = (SinusoidalEmbedding)op;
        int half = embedding.Channels / 2;
        var y = new List<double>();
        foreach (double t in inputs[0].Values)
        {
            double[] angles = [.. Enumerable.Range(0, half)
                .Select(j => embedding.Scale * t * Math.Exp(-Math.Log(embedding.MaxPeriod) * j / (half - embedding.DownscaleFreqShift)))];
            double[] sines = [.. angles.Select(Math.Sin)], cosines = [.. angles.Select(Math.Cos)];
            y.AddRange(embedding.FlipSinToCos ? [.. cosines, .. sines] : [.. sines, .. cosines]);
            if (embedding.Channels % 2 == 1) y.Add(0);
        }

        return [.. y];
    }
}
