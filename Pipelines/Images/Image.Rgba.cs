namespace ILGpuDiffusion.Pipelines.Images;

public sealed partial class Image
{
    private const int RgbaBytes = 4;

    /// <summary>
    /// Creates an image from RGBA pixels, the layout of graphics libraries' bitmaps. Alpha is dropped, as by <see cref="Load(string)"/>.
    /// </summary>
    /// <param name="pixels">[height, width, 4], red first, top row first.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <exception cref="ArgumentException">The number of bytes does not match the size, or the size is not from 1 to
    /// <see cref="MaxPixels"/> pixels.</exception>
    public static Image FromRgba(ReadOnlySpan<byte> pixels, int width, int height)
    {
        int count = Count(pixels.Length, width, height, RgbaBytes);
        byte[] rgb = new byte[count * 3];
        for (int i = 0; i < count; i++) pixels.Slice(i * RgbaBytes, 3).CopyTo(rgb.AsSpan(i * 3));
        return new Image(width, height, rgb);
    }

    /// <summary>Fills [height, width, 4] with the pixels, red first, top row first, alpha 255.</summary>
    /// <exception cref="ArgumentException">The span's length is not height · width · 4.</exception>
    public void CopyRgba(Span<byte> pixels)
    {
        long count = (long)Width * Height;
        if (pixels.Length != count * RgbaBytes)
            throw new ArgumentException(
                $"{pixels.Length} bytes are given for [{Height}, {Width}, {RgbaBytes}]; it must be {count * RgbaBytes}.", nameof(pixels));
        for (int i = 0; i < count; i++)
        {
            Pixels.AsSpan(i * 3, 3).CopyTo(pixels[(i * RgbaBytes)..]);
            pixels[i * RgbaBytes + 3] = byte.MaxValue;
        }
    }
}
