using ILGpuDiffusion.Compute.Files;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// A table of texts. In a terminal it has at most the terminal's width and breaks cells between words; where even single words do not fit,
/// it is transposed, or each row becomes a paragraph. Without a terminal each row is one line of any length.
/// </summary>
internal sealed class Listing
{
    private const int LongestCell = 1000, Gap = 2, Indent = 2, MostTurned = 8;

    private readonly (string Text, bool IsNumber)[] heads;
    private readonly List<string[]> rows = [];

    /// <summary>Creates a table; columns whose head begins with '>' are numbers, which are right-aligned and never broken.</summary>
    public Listing(params string[] heads) => this.heads = [.. heads.Select(head => (head.TrimStart('>'), head.StartsWith('>')))];

    private bool HasHeads => heads.Any(head => head.Text.Length > 0);

    /// <summary>Adds a row, cell by cell.</summary>
    public void Add(params string[] cells) => rows.Add([.. cells.Select(cell => OutsideText.Line(cell, LongestCell))]);

    /// <summary>Writes the table to stdout.</summary>
    public void Print() => StandardStreams.RawOutput.Write(ToString(Terminals.OutputColumns));

    /// <summary>The table as text without colours, each row on one line.</summary>
    public override string ToString() => ToString(null);

    /// <summary>The table as text without colours.</summary>
    /// <param name="columns">Width of the terminal; null gives each row one line.</param>
    public string ToString(int? columns)
    {
        if (columns is not { } width || Fits(heads, rows, width)) return Table(heads, rows, columns);
        var (turnedHeads, turnedRows) = Turned();
        return HasHeads && rows.Count is > 1 and <= MostTurned && Fits(turnedHeads, turnedRows, width)
            ? Table(turnedHeads, turnedRows, width) : Paragraphs(width);
    }

    /// <summary>The transposed table.</summary>
    private ((string Text, bool IsNumber)[] Heads, List<string[]> Rows) Turned() =>
        ([heads[0], .. rows.Select(row => (row[0], true))],
            [.. Enumerable.Range(1, heads.Length - 1).Select(i => (string[])[heads[i].Text, .. rows.Select(row => row[i])])]);

    /// <summary>Each row's first cell, with the others after their heads below it; numbers share a line.</summary>
    private string Paragraphs(int columns)
    {
        var page = new Page(columns);
        foreach (string[] row in rows)
        {
            page.Paragraph(row[0]);
            var numbers = new List<string>();
            for (int i = 1; i < row.Length; i++)
            {
                if (row[i].Length == 0) continue;
                string fact = heads[i].Text.Length > 0 ? $"{heads[i].Text}: {row[i]}" : row[i];
                if (heads[i].IsNumber) numbers.Add(fact);
                else page.Paragraph(fact, Indent);
            }

            if (numbers.Count > 0) page.Paragraph(string.Join(", ", numbers), Indent);
        }

        return page.ToString();
    }

    private static bool Fits((string Text, bool IsNumber)[] heads, List<string[]> rows, int columns) =>
        heads.Index().Sum(head => Extent(head.Item, head.Index, rows).Min) + Gap * (heads.Length - 1) <= columns;

    /// <summary>Widths of a column's longest word and longest cell.</summary>
    private static (int Min, int Max) Extent((string Text, bool IsNumber) head, int column, List<string[]> rows)
    {
        string[] cells = [head.Text, .. rows.Select(row => row[column])];
        int longest = cells.Max(Columns);
        return (head.IsNumber ? longest : cells.Max(cell => cell.Split(' ').Max(Columns)), longest);
    }

    private static int Columns(string text) => ((IRenderable)new Text(text)).Measure(RenderOptions.Create(Terminals.Out), int.MaxValue).Max;

    private static string Table((string Text, bool IsNumber)[] heads, List<string[]> rows, int? columns)
    {
        var extents = heads.Select((head, i) => Extent(head, i, rows)).ToArray();
        int[] widths = [.. extents.Select(extent => extent.Max)];
        for (int surplus = widths.Sum() + Gap * (widths.Length - 1) - (columns ?? int.MaxValue); surplus > 0; surplus--)
            widths[Enumerable.Range(0, widths.Length).Where(i => widths[i] > extents[i].Min).MaxBy(i => widths[i])]--;
        var table = new Table { Border = TableBorder.None, ShowHeaders = heads.Any(head => head.Text.Length > 0), UseSafeBorder = false };
        foreach (var ((text, number), width) in heads.Zip(widths))
        {
            table.AddColumn(new TableColumn(new Text(text))
            {
                Alignment = number ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, table.Columns.Count < heads.Length - 1 ? Gap : 0, 0),
                Width = width,
            });
        }

        foreach (string[] row in rows) table.AddRow(row.Select(cell => new Text(cell)));
        return new Page(Math.Max(1, widths.Sum() + Gap * (widths.Length - 1))).Add(table).ToString();
    }
}
