using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The noise of a request's images: start latents and the samplers' noise.</summary>
internal static class ImageNoise
{
    /// <summary>The seed of each image.</summary>
    public static Seed[] Seeds(ImageRequest request, Seed first, int images) =>
        [.. Enumerable.Range(0, images).Select(i => request.SharedGenerator ? first : first.Plus(i))];

    /// <summary>Generators at the start of their streams: one per image, or one for all.</summary>
    public static NoiseSource Source(ImageRequest request, IReadOnlyList<Seed> seeds)
    {
        TorchGenerator[] generators = [.. seeds.Take(request.SharedGenerator ? 1 : seeds.Count).Select(seed => new TorchGenerator(seed))];
        return values => LatentNoise.Fill(generators, values, seeds.Count);
    }
}
