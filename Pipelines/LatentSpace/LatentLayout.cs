namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>How a model lays out latents.</summary>
/// <param name="Channels">Channels of the latents.</param>
/// <param name="Factor">Pixels per latent, both ways.</param>
public sealed record LatentLayout(int Channels, int Factor);
