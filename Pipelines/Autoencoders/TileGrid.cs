using System.Globalization;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>The tiles of one autoencoder, in pixels and in latents.</summary>
internal sealed record TileGrid
{
    /// <summary>Computes the sizes of tiles.</summary>
    /// <param name="pixels">Side of a tile in pixels (<c>tile_sample_min_size</c>).</param>
    /// <param name="overlap">Fraction of a tile that overlaps its neighbour (<c>tile_overlap_factor</c>).</param>
    /// <param name="spatialFactor">Pixels per latent.</param>
    /// <exception cref="ArgumentException">Tile, step or overlap is not a whole number of latents, so that tiles would not
    /// meet.</exception>
    public TileGrid(int pixels, double overlap, int spatialFactor)
    {
        // Truncated as in diffusers, which does not check that the results match.
        int latents = pixels / spatialFactor;
        Overlap = overlap;
        Pixels = new Side(pixels, (int)(pixels * (1 - overlap)), (int)(pixels * overlap));
        Latents = new Side(latents, (int)(latents * (1 - overlap)), (int)(latents * overlap));
        bool fits = overlap is >= 0 and < 1 && Latents.Step > 0 && Latents.Step + Latents.Blend == latents
            && Pixels == new Side(latents * spatialFactor, Latents.Step * spatialFactor, Latents.Blend * spatialFactor);
        if (fits) return;
        int unit = 4 * spatialFactor, near = Math.Max(1, pixels / unit) * unit;
        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
            $"VAE tiles of {pixels} pixels that overlap by {overlap} do not meet: tile and overlap must be whole numbers of latents "
                + $"({spatialFactor} pixels each). Try {near} pixels and 0.25."));
    }

    /// <summary>Fraction of a tile that overlaps its neighbour.</summary>
    public double Overlap { get; }

    /// <summary>Sizes in pixels.</summary>
    public Side Pixels { get; }

    /// <summary>Sizes in latents.</summary>
    public Side Latents { get; }

    /// <summary>Sizes in one dimension.</summary>
    /// <param name="Size">Side of a tile.</param>
    /// <param name="Step">Distance between neighbouring tiles; also the size that is kept of each tile's result.</param>
    /// <param name="Blend">Width of the strip over which a tile's result fades in from its neighbour's.</param>
    internal readonly record struct Side(int Size, int Step, int Blend);
}
