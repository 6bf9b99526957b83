using Spectre.Console;
using Spectre.Console.Rendering;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Text without colours that is composed of paragraphs and tables.</summary>
/// <param name="columns">Width of the terminal, to which paragraphs are wrapped; null leaves each on one line.</param>
internal sealed class Page(int? columns)
{
    private readonly System.Text.StringBuilder text = new();

    /// <summary>Adds a text, wrapped between words.</summary>
    public Page Paragraph(string paragraph, int indent = 0) =>
        columns is null ? Line(new string(' ', indent) + paragraph) : Add(new Padder(new Text(paragraph), new Padding(indent, 0, 0, 0)));

    /// <summary>Adds a line that is not wrapped.</summary>
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

    /// <summary>Adds output of Spectre without the spaces that it pads lines with.</summary>
    public Page Add(IRenderable content)
    {
        using var writer = new StringWriter();
        Terminals.Create(writer, redirected: true, columns).Write(content);
        foreach (string line in writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)) Line(line.TrimEnd());
        return this;
    }

    public override string ToString() => text.ToString();
}
