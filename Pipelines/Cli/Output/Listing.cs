using ILGpuDiffusion.Compute;
using Spectre.Console;

namespace ILGpuDiffusion.Cli;

/// <summary>A table of texts, on stdout as wide as the terminal; without a terminal each row is one line.</summary>
internal sealed class Listing
{
    private const int LongestCell = 1000;

    private readonly Table table = new() { Border = TableBorder.None, ShowHeaders = true };

    /// <summary>Begins a table; columns whose head begins with '>' are numbers, which stand at the right.</summary>
    public Listing(params string[] heads)
    {
        foreach (string head in heads)
        {
            bool number = head.StartsWith('>');
            table.AddColumn(new TableColumn(new Text(head.TrimStart('>'), new Style(decoration: Decoration.Bold))) { Alignment = number ? Justify.Right : Justify.Left, Padding = new Padding(0, 0, 2, 0), NoWrap = Console.IsOutputRedirected });
        }

        table.ShowHeaders = heads.Any(head => head.Length > 0);
    }

    /// <summary>Adds a row, cell by cell.</summary>
    public void Add(params string[] cells) => table.AddRow(cells.Select(cell => new Text(OutsideText.Line(cell, LongestCell))));

    /// <summary>Writes it to stdout.</summary>
    public void Print() => StandardStreams.RawOutput.Write(Render(Console.IsOutputRedirected, Console.IsOutputRedirected ? null : Terminals.Out.Profile.Width));

    /// <summary>The table as text without colours, each row as wide as it needs.</summary>
    public override string ToString() => Render(redirected: true, columns: null);

    private string Render(bool redirected, int? columns)
    {
        using var writer = new StringWriter();
        Terminals.Create(writer, redirected, columns).Write(table);
        return string.Concat(writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd() + "\n"));
    }
}
