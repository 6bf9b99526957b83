namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// What diffusers' <c>VaeImageProcessor</c> does with images before and after a run, and Pillow for it, with the same bits.
/// </summary>
internal static class ImageProcessor
{
    /// <summary>The size of a run that names none: the image's, down to multiples of the autoencoder's factor.</summary>
    /// <exception cref="ArgumentException">The image is smaller than the factor.</exception>
    public static (int Width, int Height) DefaultSize(Image image, int factor)
    {
        var (width, height) = (image.Width - image.Width % factor, image.Height - image.Height % factor);
        return width > 0 && height > 0 ? (width, height)
            : throw new ArgumentException(
                $"The image is {image.Width}×{image.Height} pixels large; it must be at least {factor}×{factor}.", nameof(image));
    }

    /// <summary>Brings an image to a size.</summary>
    /// <exception cref="ArgumentException">A size is below 1, or the image's proportions leave no pixel of it.</exception>
    public static Image Resize(Image image, int width, int height, ResizeMode mode = ResizeMode.Default)
    {
        if (mode == ResizeMode.Default) return Resampler.Lanczos(image, width, height);
        double wanted = (double)width / height, given = (double)image.Width / image.Height;
        bool acrossFits = mode == ResizeMode.Fill ? wanted < given : wanted > given;
        bool downFits = mode == ResizeMode.Fill ? wanted >= given : wanted <= given;
        int scaledWidth = acrossFits ? width : (int)((long)image.Width * height / image.Height);
        int scaledHeight = downFits ? height : (int)((long)image.Height * width / image.Width);
        if (scaledWidth < 1 || scaledHeight < 1)
            throw new ArgumentException($"An image of {image.Width}×{image.Height} pixels cannot be fitted into {width}×{height}: "
                + "less than one pixel would be left of a side.", nameof(image));
        var scaled = Resampler.Lanczos(image, scaledWidth, scaledHeight);
        int left = width / 2 - scaledWidth / 2, top = height / 2 - scaledHeight / 2;
        var result = Blank(width, height);
        Paste(result, scaled, left, top);
        if (mode == ResizeMode.Fill && wanted < given && top > 0)
        {
            var (first, last) = (new PixelBox(0, 0, width, 0), new PixelBox(0, scaledHeight, width, scaledHeight));
            Paste(result, Resampler.Bicubic(scaled, width, top, first), 0, 0);
            Paste(result, Resampler.Bicubic(scaled, width, top, last), 0, top + scaledHeight);
        }
        else if (mode == ResizeMode.Fill && wanted > given && left > 0)
        {
            var (first, last) = (new PixelBox(0, 0, 0, height), new PixelBox(scaledWidth, 0, scaledWidth, height));
            Paste(result, Resampler.Bicubic(scaled, left, height, first), 0, 0);
            Paste(result, Resampler.Bicubic(scaled, left, height, last), left + scaledWidth, 0);
        }

        return result;
    }

    /// <summary>A part of an image; black where it projects.</summary>
    public static Image Crop(Image image, PixelBox box)
    {
        var result = Blank(box.Width, box.Height);
        Paste(result, image, -box.Left, -box.Top);
        return result;
    }

    /// <summary>The autoencoder's input: [images, height, width, 3], 2 · (level/255) − 1 in float32.</summary>
    /// <exception cref="ArgumentException">The images have different sizes.</exception>
    public static float[] Values(IReadOnlyList<Image> images)
    {
        int count = images[0].Pixels.Length;
        float[] values = new float[images.Count * count];
        foreach (var (i, image) in images.Index())
        {
            if ((image.Width, image.Height) != (images[0].Width, images[0].Height))
                throw new ArgumentException($"Image {i} has {image.Width}×{image.Height} pixels; the first one has "
                    + $"{images[0].Width}×{images[0].Height}.", nameof(images));
            image.ToNhwc(values.AsSpan(i * count, count));
        }

        return values;
    }

    /// <summary>A mask image at the size of a run: cut, resized, then <see cref="Mask.From"/>.</summary>
    public static Mask ToMask(Image image, int width, int height, ResizeMode mode = ResizeMode.Default, PixelBox? crop = null) =>
        Mask.From(Resize(crop is { } box ? Crop(image, box) : image, width, height, mode));

    /// <summary>Gaussian blur of a mask image, before it is used.</summary>
    public static Image Blur(Image image, float radius) => GaussianBlur.Apply(image, radius);

    /// <summary>Copies an image onto another; what projects is left out.</summary>
    internal static void Paste(Image target, Image source, int left, int top)
    {
        int from = Math.Max(0, -left), count = Math.Min(source.Width, target.Width - left) - from;
        if (count <= 0) return;
        for (int y = Math.Max(0, -top); y < Math.Min(source.Height, target.Height - top); y++)
            source.Pixels.AsSpan((y * source.Width + from) * 3, count * 3)
                .CopyTo(target.Pixels.AsSpan(((y + top) * target.Width + left + from) * 3));
    }

    internal static Image Blank(int width, int height) => new(width, height, new byte[checked(width * height * 3)]);
}
