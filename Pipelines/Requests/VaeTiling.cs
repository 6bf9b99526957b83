namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>
/// Encodes and decodes images in overlapping tiles, so that memory depends on the tile and not on the image; as diffusers'
/// <c>enable_vae_tiling</c>. Colours may differ slightly between tiles.
/// </summary>
/// <param name="Pixels">Side of a tile; null takes the size that the autoencoder was made for.</param>
/// <param name="Overlap">Fraction of a tile that overlaps its neighbour. Tile and overlap must be whole numbers of latents.</param>
public sealed record VaeTiling(int? Pixels = null, double Overlap = 0.25);
