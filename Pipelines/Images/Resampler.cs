namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Resamples 8-bit images as Pillow does, to the bit: rows first, then columns, each to 8 bits, with weights of 22 fractional bits. When an
/// image becomes smaller, the filter becomes wider in proportion.
/// </summary>
internal static class Resampler
{
    /// <summary>The longest side of an image: the weights of one axis take 24 bytes per pixel of it.</summary>
    public const int MostSide = 65535;

    private const int FractionBits = 22;

    /// <summary>sinc(x)·sinc(x/3) for |x| &lt; 3.</summary>
    public static Image Lanczos(Image image, int width, int height) =>
        Resample(image, width, height, PixelBox.Of(image), x => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0, 3);

    /// <summary>
    /// Cubic convolution with a = −1/2, of a part of the image; a part that is 0 pixels wide or high is stretched from the image's border.
    /// </summary>
    public static Image Bicubic(Image image, int width, int height, PixelBox box) => Resample(image, width, height, box, Cubic, 2);

    private static Image Resample(Image image, int width, int height, PixelBox box, Func<double, double> filter, double support)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (Math.Max(image.Width, image.Height) > MostSide)
            throw new ArgumentException(
                $"An image of {image.Width}×{image.Height} pixels cannot be resized; a side has at most {MostSide}.", nameof(image));
        if (width != image.Width || box.Left != 0 || box.Right != width)
            image = Rows(image, width, Weights(image.Width, box.Left, box.Right, width, filter, support));
        if (height != image.Height || box.Top != 0 || box.Bottom != height)
            image = Columns(image, height, Weights(image.Height, box.Top, box.Bottom, height, filter, support));
        return image;
    }

    private static Image Rows(Image image, int width, (int First, int[] Weights)[] taps)
    {
        byte[] result = new byte[width * image.Height * 3];
        for (int y = 0, to = 0; y < image.Height; y++)
        {
            var row = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            for (int x = 0; x < width; x++, to += 3)
            {
                var (first, weights) = taps[x];
                int red = Half, green = Half, blue = Half, at = first * 3;
                foreach (int weight in weights)
                {
                    red += row[at] * weight;
                    green += row[at + 1] * weight;
                    blue += row[at + 2] * weight;
                    at += 3;
                }

                (result[to], result[to + 1], result[to + 2]) = (Level(red), Level(green), Level(blue));
            }
        }

        return new Image(width, image.Height, result);
    }

    private static Image Columns(Image image, int height, (int First, int[] Weights)[] taps)
    {
        int pitch = image.Width * 3;
        byte[] result = new byte[pitch * height];
        int[] sums = new int[pitch];
        for (int y = 0; y < height; y++)
        {
            var (first, weights) = taps[y];
            Array.Fill(sums, Half);
            for (int tap = 0; tap < weights.Length; tap++)
            {
                int weight = weights[tap];
                var row = image.Pixels.AsSpan((first + tap) * pitch, pitch);
                for (int i = 0; i < row.Length; i++) sums[i] += row[i] * weight;
            }

            for (int i = 0; i < pitch; i++) result[y * pitch + i] = Level(sums[i]);
        }

        return new Image(image.Width, height, result);
    }

    /// <summary>For each pixel of an axis of the result: the first source pixel, and the weights of that and the following ones.</summary>
    private static (int First, int[] Weights)[] Weights(int size, int from, int to, int count, Func<double, double> filter, double support)
    {
        var taps = new (int, int[])[count];
        double scale = (double)(to - from) / count, stretch = Math.Max(scale, 1), reach = support * stretch;
        for (int i = 0; i < count; i++)
        {
            double centre = from + (i + 0.5) * scale, sum = 0;
            int first = Math.Max((int)(centre - reach + 0.5), 0), end = Math.Min((int)(centre + reach + 0.5), size);
            double[] exact = new double[end - first];
            for (int j = 0; j < exact.Length; j++) sum += exact[j] = filter((j + first - centre + 0.5) * (1 / stretch));
            taps[i] = (first, [.. exact.Select(w => Rounded(sum == 0 ? w : w / sum))]);
        }

        return taps;
    }

    private static int Rounded(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));

    private static byte Level(int sum) => (byte)Math.Clamp(sum >> FractionBits, 0, byte.MaxValue);

    private const int Half = 1 << (FractionBits - 1);

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);

    private static double Cubic(double x) => Math.Abs(x) switch
    {
        < 1 and var a => (1.5 * a - 2.5) * a * a + 1,
        < 2 and var a => (((a - 5) * a + 8) * a - 4) * -0.5,
        _ => 0,
    };
}
