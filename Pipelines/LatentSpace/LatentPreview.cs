using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>
/// A linear map from latents to colours, as others have fitted it for a family: a rough image, one pixel per latent, at next to no cost.
/// </summary>
/// <param name="Factors">Red, green and blue of each channel, for colours of −1 … 1.</param>
/// <param name="Offset">Red, green and blue of zero latents.</param>
public sealed record LatentPreview(IReadOnlyList<(float Red, float Green, float Blue)> Factors, (float Red, float Green, float Blue) Offset)
{
    /// <summary>Draws latents.</summary>
    /// <param name="latents">Latents of one image, [h, w, channels].</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    internal Image Draw(ReadOnlySpan<float> latents, int width, int height)
    {
        var colours = new float[width * height * 3];
        for (int pixel = 0; pixel < width * height; pixel++)
        {
            var (red, green, blue) = Offset;
            for (int c = 0; c < Factors.Count; c++)
            {
                float value = latents[pixel * Factors.Count + c];
                (red, green, blue) = (red + value * Factors[c].Red, green + value * Factors[c].Green, blue + value * Factors[c].Blue);
            }

            (colours[pixel * 3], colours[pixel * 3 + 1], colours[pixel * 3 + 2]) = (red, green, blue);
        }

        return Image.FromNhwc(colours, width, height);
    }
}
