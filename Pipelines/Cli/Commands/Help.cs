using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ILGpuDiffusion.Cli.Terminal;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>
/// <c>--help</c>, as wide as the terminal: options in groups where a command has groups, with descriptions beside them or, where that is
/// too narrow, below them.
/// </summary>
internal sealed class Help : SynchronousCommandLineAction
{
    private const int Widest = 120, LeastForTwoColumns = 72, Indent = 2, DeepIndent = 6;

    /// <summary>Help is often requested with required arguments missing; that is not an error.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int columns = Console.IsOutputRedirected ? Terminals.TextColumns : Math.Min(Widest, Terminals.Out.Profile.Width);
        Write(parseResult.CommandResult.Command, Terminals.Create(StandardStreams.RawOutput, Console.IsOutputRedirected, columns));
        return ExitCodes.Done;
    }

    /// <summary>Writes the whole help of a command.</summary>
    public static void Write(Command command, IAnsiConsole console)
    {
        var grouped = command as GroupedCommand;
        string path = command is RootCommand ? "ilgd" : string.Join(' ', Path(command));
        string arguments = string.Concat(command.Arguments.Select(a => $" {a.Name.ToUpperInvariant()}"))
            + (command.Subcommands.Count > 0 ? " COMMAND" : "") + " [options]";
        Paragraph(console, $"{path}{arguments}", 0, bold: true);
        string[] lines = [.. (command.Description ?? "").Split('\n').Select(line => line.TrimEnd('\r'))];
        foreach (string line in lines.Where(line => !line.StartsWith(' '))) Paragraph(console, line, 0);
        (string Label, string Text)[] examples = [.. lines.Where(line => line.StartsWith(' ')).Select(Example)];
        if (examples.Length > 0) Section(console, examples, examples.Max(e => e.Label.Length));
        if (grouped is not null)
        {
            console.WriteLine();
            foreach (string example in grouped.Examples) Paragraph(console, example, Indent);
        }

        Option[] everywhere =
            [.. command.Parents.OfType<Command>().SelectMany(parent => parent.Options)
            .Where(option => option.Recursive && option is not HelpOption)];
        List<(string Title, (string Label, string Text)[] Rows)> sections =
            [("Commands", [.. command.Subcommands.Select(c => (c.Name, c.Description ?? ""))])];
        sections.Add(("Arguments", [.. command.Arguments.Select(a => (a.Name.ToUpperInvariant(), a.Description ?? ""))]));
        if (grouped is null) sections.Add(("Options", Rows([.. command.Options, .. everywhere])));
        else sections.AddRange(grouped.Groups
            .Select((group, i) => (group.Title, Rows(i == grouped.Groups.Count - 1 ? [.. group.Options, .. everywhere] : group.Options))));
        int label = sections.SelectMany(s => s.Rows).Max(r => r.Label.Length);
        foreach (var (title, rows) in sections.Where(s => s.Rows.Length > 0))
        {
            console.WriteLine();
            Paragraph(console, title, 0, bold: true);
            Section(console, rows, label);
        }
    }

    private static void Section(IAnsiConsole console, (string Label, string Text)[] rows, int label)
    {
        if (console.Profile.Width < LeastForTwoColumns)
        {
            foreach (var (name, text) in rows)
            {
                Paragraph(console, name, Indent);
                if (text.Length > 0) Paragraph(console, text, DeepIndent);
            }

            return;
        }

        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { NoWrap = true, Width = label, Padding = new Padding(Indent, 0, Indent, 0) })
            .AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var (name, text) in rows) grid.AddRow(new Text(name), new Text(text));
        console.Write(grid);
    }

    private static void Paragraph(IAnsiConsole console, string text, int indent, bool bold = false)
    {
        if (text.Length == 0) console.WriteLine();
        else console.Write(new Padder(new Text(text, bold ? new Style(decoration: Decoration.Bold) : Style.Plain),
            new Padding(indent, 0, 0, 0)));
    }

    /// <summary>A line such as <c>command    description</c>.</summary>
    private static (string Label, string Text) Example(string line)
    {
        string[] sides = line.Trim().Split("  ", 2);
        return (sides[0], sides.Length > 1 ? sides[1].Trim() : "");
    }

    private static (string, string)[] Rows(IEnumerable<Option> options) =>
        [.. options.Where(o => !o.Hidden).Select(o => (Label(o), o.Description ?? ""))];

    private static string Label(Option option) =>
        string.Join(", ", [.. option.Aliases.OrderBy(a => a.Length), option.Name]) + (option.HelpName is { } value ? $" {value}" : "");

    private static IEnumerable<string> Path(Command command) =>
        command is RootCommand ? ["ilgd"] : command.Parents.OfType<Command>().Take(1).SelectMany(Path).Append(command.Name);
}
