using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Joins images into one.</summary>
internal static class ImageStrip
{
    /// <summary>Images of the same size side by side, with a gap between them.</summary>
    public static Image Of(IReadOnlyList<Image> images, int gap)
    {
        if (images.Count == 1) return images[0];
        int width = images.Sum(i => i.Width) + gap * (images.Count - 1), height = images.Max(i => i.Height), left = 0;
        byte[] pixels = new byte[width * height * 3];
        foreach (var image in images)
        {
            for (int y = 0; y < image.Height; y++)
                image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3).CopyTo(pixels.AsSpan((y * width + left) * 3));
            left += image.Width + gap;
        }

        return new Image(width, height, pixels);
    }
}
