using System.Globalization;
using System.Security;
using System.Text;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Writes the SVG elements that images of plans need.</summary>
internal sealed class Svg : ICanvas
{
    private const double LetterWidth = 0.58; // of the font's size, on average; a little more than most fonts need
    private const int LongestLine = 400, MostLines = 40; // titles have lines
    private readonly StringBuilder text = new();

    public void Rect(double x, double y, double width, double height, string style, string? title = null, double radius = 0)
    {
        string head = $"<rect x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(Math.Max(width, 0))}\" height=\"{N(Math.Max(height, 0))}\" "
            + $"class=\"{style}\"{(radius > 0 ? $" rx=\"{N(radius)}\"" : "")}";
        Close(head, "rect", title);
    }

    public void Circle(double x, double y, double radius, string style, string? title = null) =>
        Close($"<circle cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"{N(radius)}\" class=\"{style}\"", "circle", title);

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        text.Append($"<line x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" y2=\"{N(y2)}\" class=\"{style}\"/>\n");

    public void Path(IEnumerable<(double X, double Y)> points, string style) =>
        text.Append($"<path d=\"M{string.Join('L', points.Select(p => $"{N(p.X)} {N(p.Y)}"))}\" class=\"{style}\"/>\n");

    public void Text(double x, double y, string content, string style, Anchor anchor = Anchor.Start)
    {
        string at = anchor switch { Anchor.Middle => " text-anchor=\"middle\"", Anchor.End => " text-anchor=\"end\"", _ => "" };
        text.Append($"<text x=\"{N(x)}\" y=\"{N(y)}\" class=\"{style}\"{at}>{Escape(content)}</text>\n");
    }

    /// <summary>Text centred in a box, truncated or omitted where it does not fit.</summary>
    public void Label(double x, double y, double width, double height, string content, string style, double size)
    {
        if (height < size + 2 || Fit(content, width - 6, size) is not { Length: > 0 } shown) return;
        Text(x + width / 2, y + height / 2 + size * 0.36, shown, style, Anchor.Middle);
    }

    public override string ToString() => text.ToString();

    /// <summary>As much of a text as fits; nothing where that would be only a letter or two.</summary>
    public static string Fit(string content, double width, double size)
    {
        int most = (int)(width / (size * LetterWidth));
        return content.Length <= most ? content : most >= 4 ? content[..(most - 1)] + "…" : "";
    }

    /// <summary>The first of several texts that fits completely, else as much as fits of the last.</summary>
    public static string Best(double width, double size, params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts)
            if (text.Length * size * LetterWidth <= width) return text;
        return Fit(texts[^1], width, size);
    }

    /// <summary>Escapes text for XML: without control characters, which XML does not allow, and truncated.</summary>
    public static string Escape(string content) =>
        SecurityElement.Escape(string.Join('\n', content.Split('\n', MostLines).Select(line => OutsideText.Line(line, LongestLine))));

    public static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private void Close(string head, string element, string? title) =>
        text.Append(title is null ? $"{head}/>\n" : $"{head}><title>{Escape(title)}</title></{element}>\n");
}
