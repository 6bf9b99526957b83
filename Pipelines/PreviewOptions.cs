using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Which previews a stream has.</summary>
public sealed record PreviewOptions
{
    /// <summary>A preview after every so many steps, and after the last one; 0 for none. Each is a read-back.</summary>
    public int Every { get; init; } = 1;

    /// <summary>
    /// Whether previews are decoded by the autoencoder, which takes as long as decoding an image. Otherwise they are rough: one pixel per
    /// latent, at next to no cost.
    /// </summary>
    public bool Decode { get; init; }
}

/// <summary>An update from a running generation.</summary>
/// <param name="Progress">How far it is.</param>
/// <param name="Previews">What each image will look like, as far as this step predicts it; empty where none is due.</param>
/// <param name="Result">The result, in the last update; null before.</param>
public sealed record GenerationUpdate(GenerationProgress Progress, IReadOnlyList<Image> Previews, GenerationResult? Result);
