using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The images of a grid on one sheet, with a title and the values of rows and columns beside them.</summary>
internal static class GridSheet
{
    private const int Gap = 6, TitleLines = 4, HeadLines = 3, RowLines = 8, RowColumns = 18;
    private const int LargeCell = 192; // pixels from which on labels are twice as large
    private const int MissingCell = 64; // side of a grid without any image

    /// <summary>Draws the sheet.</summary>
    /// <param name="title">What all images have in common.</param>
    /// <param name="rows">Labels of the rows.</param>
    /// <param name="columns">Labels of the columns; one empty label for none.</param>
    /// <param name="cells">The images, row by row; those that are missing have their reason instead.</param>
    public static Image Draw(string title, IReadOnlyList<string> rows, IReadOnlyList<string> columns, IReadOnlyList<GridCell> cells)
    {
        var images = cells.Select(cell => cell.Image).OfType<Image>().ToArray();
        var (cellWidth, cellHeight) = images.Length == 0 ? (MissingCell, MissingCell)
            : (images.Max(i => i.Width), images.Max(i => i.Height));
        int shrink = 1;
        while ((long)(cellWidth / shrink + Gap) * columns.Count * ((cellHeight / shrink + Gap) * rows.Count) > Image.MaxPixels / 2)
            shrink++;
        (cellWidth, cellHeight) = (Math.Max(cellWidth / shrink, 1), Math.Max(cellHeight / shrink, 1));

        int scale = Math.Min(cellWidth, cellHeight) >= LargeCell ? 2 : 1;
        int advance = PixelFont.Advance * scale, line = PixelFont.LineHeight * scale;
        string[][] rowLabels = [.. rows.Select(row => PixelFont.Wrap(row, RowColumns, Math.Clamp(cellHeight / line, 1, RowLines)))];
        string[][] heads = [.. columns.Select(column => PixelFont.Wrap(column, cellWidth / advance, HeadLines))];
        int left = Gap + rowLabels.Max(lines => lines.Max(l => l.Length)) * advance + Gap;
        int width = left + columns.Count * (cellWidth + Gap);
        string[] titleLines = PixelFont.Wrap(title, (width - 2 * Gap) / advance, TitleLines);
        int headTop = Gap + titleLines.Length * line + (titleLines.Length > 0 ? Gap : 0), top = headTop + heads.Max(h => h.Length) * line;
        int height = top + rows.Count * (cellHeight + Gap);

        byte[] pixels = new byte[width * height * 3];
        pixels.AsSpan().Fill(byte.MaxValue);
        var sheet = new Image(width, height, pixels);
        Write(sheet, titleLines, Gap, Gap, scale);
        for (int column = 0; column < columns.Count; column++)
            Write(sheet, heads[column], left + column * (cellWidth + Gap), headTop, scale);
        for (int row = 0; row < rows.Count; row++)
        {
            int y = top + row * (cellHeight + Gap);
            Write(sheet, rowLabels[row], Gap, y + Math.Max((cellHeight - rowLabels[row].Length * line) / 2, 0), scale);
            for (int column = 0; column < columns.Count && row * columns.Count + column < cells.Count; column++)
            {
                var cell = cells[row * columns.Count + column];
                int x = left + column * (cellWidth + Gap);
                if (cell.Image is { } image) Paste(sheet, image, x, y, shrink);
                else Write(sheet, PixelFont.Wrap(cell.Problem!, cellWidth / advance, cellHeight / line), x, y, scale);
            }
        }

        return sheet;
    }

    private static void Write(Image sheet, string[] lines, int x, int y, int scale)
    {
        foreach (var (index, text) in lines.Index()) PixelFont.Draw(sheet, text, x, y + index * PixelFont.LineHeight * scale, scale);
    }

    /// <summary>Copies an image, with squares of pixels averaged.</summary>
    private static void Paste(Image sheet, Image image, int left, int top, int shrink)
    {
        for (int y = 0; y < image.Height / shrink; y++)
            for (int x = 0; x < image.Width / shrink; x++)
                for (int channel = 0; channel < 3; channel++)
                {
                    int sum = 0;
                    for (int square = 0; square < shrink * shrink; square++)
                        sum += image.Pixels[((y * shrink + square / shrink) * image.Width + x * shrink + square % shrink) * 3 + channel];
                    sheet.Pixels[((top + y) * sheet.Width + left + x) * 3 + channel] = (byte)(sum / (shrink * shrink));
                }
    }
}
