namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Where an image is painted anew: 1, or kept: 0.</summary>
/// <param name="Width">In pixels, or in elements of latents.</param>
/// <param name="Height">In pixels, or in elements of latents.</param>
/// <param name="Values">[height, width].</param>
internal sealed record Mask(int Width, int Height, float[] Values)
{
    private const float Threshold = 0.5f;

    /// <summary>The mask in an image: luma/255, 1 from 1/2 on.</summary>
    public static Mask From(Image image)
    {
        byte[] luma = Luma(image);
        return new Mask(image.Width, image.Height, [.. luma.Select(level => level / 255f >= Threshold ? 1f : 0f)]);
    }

    /// <summary>
    /// The mask at the size of latents: the value at floor(i · size / new size) of each axis, as torch's <c>interpolate</c> with nearest
    /// neighbours.
    /// </summary>
    public Mask To(int width, int height)
    {
        float[] values = new float[width * height];
        float across = (float)Width / width, down = (float)Height / height;
        for (int y = 0, at = 0; y < height; y++)
        {
            int row = Math.Min((int)(y * down), Height - 1) * Width;
            for (int x = 0; x < width; x++, at++) values[at] = Values[row + Math.Min((int)(x * across), Width - 1)];
        }

        return new Mask(width, height, values);
    }

    /// <summary>What remains of pixel values [height, width, 3] outside the mask; 0 inside.</summary>
    public float[] Outside(ReadOnlySpan<float> values)
    {
        if (values.Length != Values.Length * 3)
            throw new ArgumentException($"{values.Length} values are given for [{Height}, {Width}, 3]; it must be {Values.Length * 3}.",
                nameof(values));
        float[] kept = new float[values.Length];
        for (int i = 0; i < kept.Length; i++) kept[i] = Values[i / 3] < Threshold ? values[i] : 0;
        return kept;
    }

    /// <summary>The luma of each pixel, (299 red + 587 green + 114 blue)/1000 with 16 fractional bits, as Pillow's mode L.</summary>
    public static byte[] Luma(Image image)
    {
        byte[] luma = new byte[image.Width * image.Height];
        for (int i = 0; i < luma.Length; i++)
            luma[i] = (byte)((image.Pixels[i * 3] * 19595 + image.Pixels[i * 3 + 1] * 38470 + image.Pixels[i * 3 + 2] * 7471
                + 0x8000) >> 16);
        return luma;
    }
}
