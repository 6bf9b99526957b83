namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Gaussian blur as Pillow computes it, to the bit: three passes of a box filter of fractional width along each axis (Gwosdek and others,
/// "Theoretical foundations of Gaussian convolution by extended box filtering", 2011). Borders are repeated.
/// </summary>
internal static class GaussianBlur
{
    private const int Passes = 3, FractionBits = 24;

    /// <summary>Blurs each channel.</summary>
    /// <param name="image">The image.</param>
    /// <param name="radius">The standard deviation in pixels, 0 or more.</param>
    public static Image Apply(Image image, float radius)
    {
        if (!(radius >= 0 && radius <= MostRadius))
            throw new ArgumentOutOfRangeException(nameof(radius), radius, $"A blur radius must be from 0 to {MostRadius}.");
        float box = BoxRadius(radius);
        if (box == 0) return image;
        byte[] pixels = (byte[])image.Pixels.Clone();
        int pitch = image.Width * 3;
        for (int channel = 0; channel < 3; channel++)
        {
            for (int y = 0; y < image.Height; y++) Line(pixels, y * pitch + channel, 3, image.Width, box);
            for (int x = 0; x < image.Width; x++) Line(pixels, x * 3 + channel, pitch, image.Height, box);
        }

        return new Image(image.Width, image.Height, pixels);
    }

    private const float MostRadius = 10_000;

    // Half the box's width, whole and fractional part: equations 7, 11 and 14 of the paper.
    private static float BoxRadius(float radius)
    {
        float variance = radius * radius / Passes;
        float length = (float)Math.Sqrt(12.0 * variance + 1.0), whole = (float)Math.Floor((length - 1.0) / 2.0);
        float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
        return whole + part / (6 * (variance - (whole + 1) * (whole + 1)));
    }

    private static void Line(byte[] pixels, int start, int step, int count, float box)
    {
        int radius = (int)box, last = count - 1;
        uint weight = (uint)((1 << FractionBits) / (box * 2 + 1));
        uint outer = ((1 << FractionBits) - (uint)(radius * 2 + 1) * weight) / 2;
        byte[] line = new byte[count], next = new byte[count];
        for (int i = 0; i < count; i++) line[i] = pixels[start + i * step];
        for (int pass = 0; pass < Passes; pass++)
        {
            uint sum = 0;
            for (int i = -radius; i <= radius; i++) sum += line[Math.Clamp(i, 0, last)];
            for (int i = 0; i < count; i++)
            {
                uint left = line[Math.Clamp(i - radius - 1, 0, last)], right = line[Math.Clamp(i + radius + 1, 0, last)];
                next[i] = (byte)((sum * weight + (left + right) * outer + (1 << (FractionBits - 1))) >> FractionBits);
                sum += right - line[Math.Clamp(i - radius, 0, last)];
            }

            (line, next) = (next, line);
        }

        for (int i = 0; i < count; i++) pixels[start + i * step] = line[i];
    }
}
