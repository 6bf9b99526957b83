namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Scales images.</summary>
internal static class ImageScale
{
    /// <summary>The colour of a pixel.</summary>
    public static (byte Red, byte Green, byte Blue) At(this Image image, int x, int y)
    {
        int at = (y * image.Width + x) * 3;
        return (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]);
    }

    /// <summary>An image scaled to a size, by averaging down or repeating up.</summary>
    public static Image To(Image image, int width, int height)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                Average(image, Range(x, width, image.Width), Range(y, height, image.Height), pixels.AsSpan((y * width + x) * 3, 3));
        return new Image(width, height, pixels);
    }

    private static (int From, int To) Range(int index, int count, int size)
    {
        int from = (int)((long)index * size / count);
        return (from, Math.Max(from + 1, (int)((index + 1L) * size / count)));
    }

    private static void Average(Image image, (int From, int To) columns, (int From, int To) rows, Span<byte> colour)
    {
        long red = 0, green = 0, blue = 0, count = (long)(columns.To - columns.From) * (rows.To - rows.From);
        for (int y = rows.From; y < rows.To; y++)
            for (int at = (y * image.Width + columns.From) * 3; at < (y * image.Width + columns.To) * 3; at += 3)
            {
                red += image.Pixels[at];
                green += image.Pixels[at + 1];
                blue += image.Pixels[at + 2];
            }

        (colour[0], colour[1], colour[2]) = ((byte)(red / count), (byte)(green / count), (byte)(blue / count));
    }
}
