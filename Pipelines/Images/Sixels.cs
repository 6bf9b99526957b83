using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// DEC's sixel graphics (VT330/VT340 Programmer Reference, volume 2, chapter 14): bands of six rows, one pass over a band for each colour
/// in it.
/// </summary>
internal static class Sixels
{
    private const int BandRows = 6, ShortestRun = 4;
    private const char First = '?'; // six empty rows

    /// <summary>The image in the fixed colours of <see cref="Palette256"/>, pixel by pixel.</summary>
    public static string Encode(Image image)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"\eP0;1q\"1;1;{image.Width};{image.Height}");
        byte[] indices = new byte[image.Width * image.Height];
        for (int y = 0; y < image.Height; y++)
            for (int x = 0; x < image.Width; x++) indices[y * image.Width + x] = (byte)Palette256.Nearest(image.At(x, y));
        foreach (byte index in indices.Distinct().Order())
        {
            var (red, green, blue) = Palette256.Colour(index);
            text.Append(CultureInfo.InvariantCulture, $"#{index};2;{Percent(red)};{Percent(green)};{Percent(blue)}");
        }

        for (int top = 0; top < image.Height; top += BandRows)
        {
            int rows = Math.Min(BandRows, image.Height - top);
            var band = indices.AsSpan(top * image.Width, rows * image.Width);
            bool another = false;
            foreach (byte index in band.ToArray().Distinct().Order())
            {
                if (another) text.Append('$'); // back to the band's left edge
                another = true;
                text.Append(CultureInfo.InvariantCulture, $"#{index}");
                Pass(text, band, image.Width, rows, index);
            }

            text.Append('-');
        }

        return text.Append("\e\\").ToString();
    }

    /// <summary>One colour's dots in a band, with equal neighbours as a run.</summary>
    private static void Pass(StringBuilder text, ReadOnlySpan<byte> band, int width, int rows, byte index)
    {
        for (int x = 0, end; x < width; x = end)
        {
            char dots = Dots(band, width, rows, index, x);
            for (end = x + 1; end < width && Dots(band, width, rows, index, end) == dots; end++) { }
            if (end - x >= ShortestRun) text.Append(CultureInfo.InvariantCulture, $"!{end - x}{dots}");
            else text.Append(dots, end - x);
        }
    }

    private static char Dots(ReadOnlySpan<byte> band, int width, int rows, byte index, int x)
    {
        int bits = 0;
        for (int row = 0; row < rows; row++)
            if (band[row * width + x] == index) bits |= 1 << row;
        return (char)(First + bits);
    }

    private static int Percent(byte value) => (value * 100 + 127) / 255;
}
