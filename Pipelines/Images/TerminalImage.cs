using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Shows images in a terminal: as pixels where it has a protocol for them, else as upper half blocks, two pixels per character cell.
/// </summary>
public static class TerminalImage
{
    private const string Reset = "\e[0m";
    private const int CellWidth = 8; // approximate width in pixels, which sixel images are sized by

    /// <summary>Renders an image in 24-bit colour, averaged down (or repeated up) to the given width, with its proportions kept.</summary>
    /// <param name="image">The image.</param>
    /// <param name="columns">Character cells per line, at least 1.</param>
    /// <returns>Lines that each end with a reset of the colours and '\n'.</returns>
    public static string Draw(Image image, int columns) => Draw(image, TerminalProtocol.Blocks, columns);

    /// <summary>Renders an image for a protocol, with its proportions kept.</summary>
    /// <param name="image">The image.</param>
    /// <param name="protocol">What the terminal understands.</param>
    /// <param name="columns">Character cells per line, at least 1.</param>
    /// <returns>Text and control sequences, ending with a line break; nothing for <see cref="TerminalProtocol.None"/>.</returns>
    public static string Draw(Image image, TerminalProtocol protocol, int columns)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        return protocol switch
        {
            TerminalProtocol.Blocks => Blocks(image, columns, TrueColour),
            TerminalProtocol.Blocks256 => Blocks(image, columns, PaletteColour),
            TerminalProtocol.Sixel =>
                Sixels.Encode(ImageScale.To(image, columns * CellWidth,
                    Math.Max(1, (int)((long)columns * CellWidth * image.Height / image.Width)))) + "\n",
            TerminalProtocol.ITerm2 => InlinePng.ITerm2(image, columns) + "\n",
            TerminalProtocol.Kitty => InlinePng.Kitty(image, columns) + "\n",
            _ => "",
        };
    }

    private static string Blocks(Image image, int columns, Func<int, (byte, byte, byte), string> colour)
    {
        int lines = Math.Max(1, (int)Math.Round((double)columns * image.Height / image.Width / 2));
        var small = ImageScale.To(image, columns, lines * 2);
        var text = new StringBuilder();
        for (int line = 0; line < lines; line++)
        {
            string foreground = "", background = "";
            for (int column = 0; column < columns; column++)
            {
                string upper = colour(38, small.At(column, line * 2)), lower = colour(48, small.At(column, line * 2 + 1));
                if (upper != foreground) text.Append(upper);
                if (lower != background) text.Append(lower);
                (foreground, background) = (upper, lower);
                text.Append('▀');
            }

            text.Append(Reset).Append('\n');
        }

        return text.ToString();
    }

    private static string TrueColour(int plane, (byte Red, byte Green, byte Blue) colour) =>
        string.Create(CultureInfo.InvariantCulture, $"\e[{plane};2;{colour.Red};{colour.Green};{colour.Blue}m");

    private static string PaletteColour(int plane, (byte Red, byte Green, byte Blue) colour) =>
        string.Create(CultureInfo.InvariantCulture, $"\e[{plane};5;{Palette256.Nearest(colour)}m");
}
