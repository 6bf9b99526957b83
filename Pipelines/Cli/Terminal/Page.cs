using Spectre.Console;
using Spectre.Console.Rendering;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Text without colours that is composed of paragraphs and tables.</summary>
/// <param name="columns">Of the terminal, which paragraphs are broken for; null leaves each in one line.</param>
internal sealed class Page(int? columns)
{
    private readonly System.Text.StringBuilder text = new();

    /// <summary>Adds a text, broken between words.</summary>
    public Page Paragraph(string paragraph, int indent = 0) =>
        columns is null ? Line(new string(' ', indent) + paragraph) : Add(new Padder(new Text(paragraph), new Padding(indent, 0, 0, 0)));

    /// <summary>Adds a line that stays whole.</summary>
    public Page Line(string line = "")
    {
        text.Append(line).Append('\n');
        return this;
    }

    /// <summary>Adds a table.</summary>
    public Page Table(Listing table)
    {
        text.Append(table.ToString(columns));
        return this;
    }

    /// <summary>Adds what Spectre draws, without the spaces that it fills lines with.</summary>
    public Page Add(IRenderable content)
    {
        using var writer = new StringWriter();
        Terminals.Create(writer, redirected: true, columns).Write(content);
        foreach (string line in writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)) Line(line.TrimEnd());
        return this;
    }

    public override string ToString() => text.ToString();
}
