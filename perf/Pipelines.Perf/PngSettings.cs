using System.Globalization;
using System.Text;
using ILGpuDiffusion.Pipelines.Images;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;
using Picture = SixLabors.ImageSharp.Image;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Time and size of PNG files for each filter and level of the encoder. Times are processor time of this process, so that others do not
/// count: the encoder runs on one thread.
/// </summary>
internal static class PngSettings
{
    private const int Side = 1024;

    private static readonly PngCompressionLevel[] Levels =
    [
        PngCompressionLevel.Level1, PngCompressionLevel.Level2, PngCompressionLevel.Level3, PngCompressionLevel.Level4,
        PngCompressionLevel.Level6, PngCompressionLevel.Level9
    ];

    /// <summary>Measures a smooth picture with edges and grain, noise, and a file; returns Markdown.</summary>
    /// <param name="file">An image file; its upper left 1024×1024 pixels are taken, or what it has of them.</param>
    /// <param name="runs">Timed encodings of each; the median counts.</param>
    public static string Run(string file, int runs)
    {
        var text = new StringBuilder();
        text.AppendLine("| filter | level | smooth, ms | KiB | noise, ms | KiB | file, ms | KiB |");
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        Image[] images = [Smooth(), Noise(), Corner(Image.Load(file))];
        foreach (var filter in Enum.GetValues<PngFilterMethod>())
            foreach (var level in Levels)
            {
                var encoder = new PngEncoder
                { FilterMethod = filter, CompressionLevel = level, ColorType = PngColorType.Rgb, BitDepth = PngBitDepth.Bit8 };
                var cells = images.Select(i => Measure(i, encoder, runs))
                    .Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Milliseconds:f0} | {m.Bytes / 1024}"));
                text.AppendLine(CultureInfo.InvariantCulture, $"| {filter} | {(int)level} | {string.Join(" | ", cells)} |");
            }

        return text.ToString();
    }

    private static (double Milliseconds, long Bytes) Measure(Image image, PngEncoder encoder, int runs)
    {
        using var picture = Picture.LoadPixelData<Rgb24>(image.Pixels, image.Width, image.Height);
        double[] times = new double[runs];
        long bytes = 0;
        for (int run = -3; run < runs; run++) // the first ones warm up
        {
            using var stream = new MemoryStream(image.Pixels.Length * 2);
            var before = Environment.CpuUsage.TotalTime;
            picture.Save(stream, encoder);
            if (run >= 0) times[run] = (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
            bytes = stream.Length;
        }

        Array.Sort(times);
        return (times[runs / 2], bytes);
    }

    private static Image Smooth()
    {
        var random = new Random(1);
        byte[] pixels = new byte[Side * Side * 3];
        for (int y = 0, at = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
                for (int c = 0; c < 3; c++, at++)
                {
                    double waves = 50 * Math.Sin(x * 0.011 + c) + 40 * Math.Cos(y * 0.017 - c * 0.5) + 20 * Math.Sin((x * 0.3 + y) * 0.05);
                    double grain = (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 4;
                    pixels[at] = (byte)Math.Clamp(128 + waves + (x / 97 + y / 131) % 2 * 24 + grain, 0, 255);
                }

        return new Image(Side, Side, pixels);
    }

    private static Image Noise()
    {
        byte[] pixels = new byte[Side * Side * 3];
        new Random(1).NextBytes(pixels);
        return new Image(Side, Side, pixels);
    }

    private static Image Corner(Image image)
    {
        var (width, height) = (Math.Min(image.Width, Side), Math.Min(image.Height, Side));
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++) image.Pixels.AsSpan(y * image.Width * 3, width * 3).CopyTo(pixels.AsSpan(y * width * 3));
        return new Image(width, height, pixels);
    }
}
