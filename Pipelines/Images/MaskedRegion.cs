namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Painting the surroundings of a mask alone (diffusers' <c>padding_mask_crop</c>): which part, and how it returns.</summary>
internal static class MaskedRegion
{
    /// <summary>
    /// The part of an image that is not black in its mask, with a border, grown to the proportions of a run's size as far as the image
    /// allows.
    /// </summary>
    /// <param name="mask">The mask image.</param>
    /// <param name="width">The run's width.</param>
    /// <param name="height">The run's height.</param>
    /// <param name="padding">Width of the border in pixels of the mask.</param>
    /// <exception cref="ArgumentException">The mask is black.</exception>
    public static PixelBox Find(Image mask, int width, int height, int padding)
    {
        var (left, top, right, bottom) = Bounds(mask);
        (left, right) = (Math.Max(left - padding, 0), Math.Min(right + padding, mask.Width));
        (top, bottom) = (Math.Max(top - padding, 0), Math.Min(bottom + padding, mask.Height));
        double wanted = (double)width / height;
        if ((double)(right - left) / (bottom - top) > wanted)
            (top, bottom) = Grown(top, bottom, (int)((right - left) / wanted - (bottom - top)), mask.Height);
        else (left, right) = Grown(left, right, (int)((bottom - top) * wanted - (right - left)), mask.Width);
        return new PixelBox(left, top, right, bottom);
    }

    /// <summary>
    /// Lays the original over the result of a run, where the mask is black; grey levels of the mask blend the two, in 8 bits and with
    /// Pillow's rounding.
    /// </summary>
    /// <param name="mask">The mask image, of the original's size.</param>
    /// <param name="original">The image before the run.</param>
    /// <param name="painted">The run's result: of the original's size, or of any size for a part.</param>
    /// <param name="region">The part that was painted; null for the whole.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static Image Overlay(Image mask, Image original, Image painted, PixelBox? region = null)
    {
        if (region is { } box)
        {
            var whole = ImageProcessor.Blank(original.Width, original.Height);
            ImageProcessor.Paste(whole, ImageProcessor.Resize(painted, box.Width, box.Height, ResizeMode.Crop), box.Left, box.Top);
            painted = whole;
        }

        RequireSize("mask", mask, original);
        RequireSize("painted image", painted, original);
        byte[] luma = Mask.Luma(mask), result = new byte[original.Pixels.Length];
        for (int i = 0; i < result.Length; i++)
        {
            int alpha = byte.MaxValue - luma[i / 3];
            result[i] = (byte)Divided(Straight(Divided(original.Pixels[i] * alpha), alpha) * alpha
                + painted.Pixels[i] * (byte.MaxValue - alpha));
        }

        return new Image(original.Width, original.Height, result) { Parameters = painted.Parameters, RequestJson = painted.RequestJson };
    }

    private static (int Left, int Top, int Right, int Bottom) Bounds(Image mask)
    {
        byte[] luma = Mask.Luma(mask);
        int left = mask.Width, top = mask.Height, right = 0, bottom = 0;
        for (int i = 0; i < luma.Length; i++)
        {
            if (luma[i] == 0) continue;
            var (y, x) = Math.DivRem(i, mask.Width);
            (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
        }

        return right > 0 ? (left, top, right, bottom)
            : throw new ArgumentException("The mask is black: there is nothing to paint.", nameof(mask));
    }

    // Grows a span by a count of pixels on both sides, moves it into [0, size), and cuts off what still projects.
    private static (int From, int To) Grown(int from, int to, int more, int size)
    {
        (from, to) = (from - more / 2, to + more - more / 2);
        if (to >= size) (from, to) = (from - (to - size), size);
        if (from < 0) (from, to) = (0, to - from);
        return (from, Math.Min(to, size));
    }

    private static void RequireSize(string what, Image image, Image original)
    {
        if ((image.Width, image.Height) != (original.Width, original.Height))
            throw new ArgumentException(
                $"The {what} has {image.Width}×{image.Height} pixels; the original has {original.Width}×{original.Height}.", nameof(image));
    }

    // x/255, rounded.
    private static int Divided(int x) => ((x + 128 >> 8) + x + 128) >> 8;

    // A level that was multiplied by its alpha.
    private static int Straight(int level, int alpha) => alpha is 0 or 255 ? level : Math.Min(255 * level / alpha, 255);
}
