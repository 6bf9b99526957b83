using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>A font of 5×7 pixels for labels in images: ASCII; other characters are boxes.</summary>
internal static class PixelFont
{
    /// <summary>Size of a character with the space around it, in pixels at scale 1.</summary>
    public const int Advance = 6, LineHeight = 10;

    private const int Columns = 5, Rows = 8;
    private const string Box = "7F4141417F";

    // Five columns of each character from space to tilde, the top pixel in the lowest bit.
    private const string Glyphs =
        "000000000000005F00000007000700147F147F14242A7F2A12231308646236495620500000070000001C2241000041221C00"
        + "2A1C7F1C2A08083E080800503000000808080808006060000020100804023E5149453E00427F400042615149462141454B31"
        + "1814127F1027454545393C4A49493001710905033649494936064949291E0036360000005636000008142241001414141414"
        + "00412214080201510906324979413E7E1111117E7F494949363E414141227F4141221C7F494949417F090909013E4149497A"
        + "7F0808087F00417F41002040413F017F081422417F404040407F020C027F7F0408107F3E4141413E7F090909063E4151215E"
        + "7F09192946464949493101017F01013F4040403F1F2040201F3F4038403F631408146307087008076151494543007F414100"
        + "02040810200041417F0004020102044040404040000102040020545454787F484444383844444420384444487F3854545418"
        + "087E09010218A4A4A47C7F0804047800447D40004080847D007F1028440000417F40007C041804787C080404783844444438"
        + "FC2424241818242418FC7C080404084854545420043F4440203C4040207C1C2040201C3C4030403C44281028441CA0A0A07C"
        + "4464544C44000836410000007F000000413608000804081008";

    /// <summary>
    /// Breaks a text into lines of at most so many characters, between words where it can; what does not fit ends in dots.
    /// </summary>
    public static string[] Wrap(string text, int columns, int mostLines)
    {
        var lines = new List<string>();
        columns = Math.Max(columns, 1);
        string rest = text.Trim();
        while (rest.Length > 0 && lines.Count < mostLines)
        {
            int end = Math.Min(columns, rest.Length);
            if (end < rest.Length && lines.Count < mostLines - 1 && rest.LastIndexOf(' ', end) is > 0 and var space) end = space;
            bool cut = lines.Count == mostLines - 1 && end < rest.Length;
            lines.Add(cut ? rest[..Math.Max(end - 2, 0)].TrimEnd() + ".." : rest[..end]);
            rest = rest[end..].TrimStart();
        }

        return [.. lines];
    }

    /// <summary>Draws a line of text in black; what lies outside the image is left out.</summary>
    public static void Draw(Image image, string text, int x, int y, int scale)
    {
        foreach (char character in text)
        {
            int at = character is >= ' ' and <= '~' ? (character - ' ') * 2 * Columns : -1;
            string glyph = at >= 0 ? Glyphs.Substring(at, 2 * Columns) : Box;
            for (int column = 0; column < Columns; column++)
            {
                int bits = Convert.ToInt32(glyph.Substring(2 * column, 2), 16);
                for (int row = 0; row < Rows; row++)
                    if ((bits >> row & 1) == 1) Square(image, x + column * scale, y + row * scale, scale);
            }

            x += Advance * scale;
        }
    }

    private static void Square(Image image, int left, int top, int size)
    {
        for (int y = Math.Max(top, 0); y < Math.Min(top + size, image.Height); y++)
            for (int x = Math.Max(left, 0); x < Math.Min(left + size, image.Width); x++)
                image.Pixels.AsSpan((y * image.Width + x) * 3, 3).Clear();
    }
}
