using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Shows a picture in a terminal that knows 24-bit colour: each character cell is an upper half block, two pixels one above the other.</summary>
public static class TerminalPicture
{
    private const string Reset = "\e[0m";

    /// <summary>Draws a picture, averaged down (or repeated up) to the width given, its proportions kept.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="columns">Character cells per line, at least 1.</param>
    /// <returns>Lines that each end with a reset of the colours and '\n'.</returns>
    public static string Draw(Image image, int columns)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        int lines = Math.Max(1, (int)Math.Round((double)columns * image.Height / image.Width / 2));
        var text = new StringBuilder();
        for (int line = 0; line < lines; line++)
        {
            (int, int, int)? foreground = null, background = null;
            for (int column = 0; column < columns; column++)
            {
                var upper = Average(image, column, columns, line * 2, lines * 2);
                var lower = Average(image, column, columns, line * 2 + 1, lines * 2);
                if (upper != foreground) text.Append(Colour(38, upper));
                if (lower != background) text.Append(Colour(48, lower));
                (foreground, background) = (upper, lower);
                text.Append('▀');
            }

            text.Append(Reset).Append('\n');
        }

        return text.ToString();
    }

    private static (int Red, int Green, int Blue) Average(Image image, int column, int columns, int row, int rows)
    {
        int left = (int)((long)column * image.Width / columns), right = Math.Max(left + 1, (int)((column + 1L) * image.Width / columns));
        int top = (int)((long)row * image.Height / rows), bottom = Math.Max(top + 1, (int)((row + 1L) * image.Height / rows));
        long red = 0, green = 0, blue = 0, count = (long)(right - left) * (bottom - top);
        for (int y = top; y < bottom; y++)
            for (int at = (y * image.Width + left) * 3; at < (y * image.Width + right) * 3; at += 3)
            {
                red += image.Pixels[at];
                green += image.Pixels[at + 1];
                blue += image.Pixels[at + 2];
            }

        return ((int)(red / count), (int)(green / count), (int)(blue / count));
    }

    private static string Colour(int plane, (int Red, int Green, int Blue) colour) =>
        string.Create(CultureInfo.InvariantCulture, $"\e[{plane};2;{colour.Red};{colour.Green};{colour.Blue}m");
}
