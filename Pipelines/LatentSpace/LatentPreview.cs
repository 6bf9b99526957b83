namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>
/// A linear map from latents to colours, fitted by others for each family: a rough image, one pixel per latent, at next to no cost.
/// </summary>
/// <param name="Factors">Red, green and blue of each channel, for colours of −1 … 1.</param>
/// <param name="Offset">Red, green and blue of zero latents.</param>
public sealed record LatentPreview(IReadOnlyList<(float Red, float Green, float Blue)> Factors, (float Red, float Green, float Blue) Offset);
