using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// Draws a chart as pixels, at twice the size of the SVG, with <see cref="PixelFont"/>: filled boxes, lines along an axis, text.
/// </summary>
internal sealed class PixelCanvas(double width, double height) : ICanvas
{
    private const int Scale = 2;

    /// <summary>The image.</summary>
    public Image Image { get; } = new((int)width * Scale, (int)height * Scale, new byte[(int)width * Scale * (int)height * Scale * 3]);

    public void Rect(double x, double y, double width, double height, string style, string? title = null, double radius = 0)
    {
        var (red, green, blue) = Colour(style);
        for (int row = Math.Max(Pixel(y), 0); row < Math.Min(Pixel(y + height), Image.Height); row++)
            for (int column = Math.Max(Pixel(x), 0); column < Math.Min(Pixel(x + width), Image.Width); column++)
                (Image.Pixels[At(row, column)], Image.Pixels[At(row, column) + 1], Image.Pixels[At(row, column) + 2]) = (red, green, blue);
    }

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        Rect(Math.Min(x1, x2), Math.Min(y1, y2), Math.Max(Math.Abs(x2 - x1), 1), Math.Max(Math.Abs(y2 - y1), 1), style);

    public void Text(double x, double y, string content, string style, Anchor anchor = Anchor.Start)
    {
        content = content.Replace('·', '-').Replace('×', 'x');
        int scale = style.StartsWith("t2", StringComparison.Ordinal) ? 2 * Scale : Scale;
        int length = content.Length * PixelFont.Advance * scale;
        int left = Pixel(x) - (anchor switch { Anchor.Middle => length / 2, Anchor.End => length, _ => 0 });
        PixelFont.Draw(Image, content, left, Pixel(y) - 8 * scale, scale); // y is the baseline
    }

    private static int Pixel(double at) => (int)Math.Round(at * Scale);

    private int At(int row, int column) => (row * Image.Width + column) * 3;

    private static (byte Red, byte Green, byte Blue) Colour(string style) => style switch
    {
        "page" => (255, 255, 255),
        "rail" => (0xee, 0xf1, 0xf5),
        "k0" => (0x2f, 0x6f, 0xd0),
        "k5" => (0x66, 0x71, 0x7f),
        _ => (0x1c, 0x23, 0x30),
    };
}
