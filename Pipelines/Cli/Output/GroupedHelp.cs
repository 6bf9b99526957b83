using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ILGpuDiffusion.Cli;

/// <summary><c>--help</c>: options in groups where a command has groups, the usual list otherwise.</summary>
internal sealed class GroupedHelp : SynchronousCommandLineAction
{
    private const int Width = 110, Indent = 2, Gap = 2;
    private readonly HelpAction usual = new();

    /// <summary>Help is asked for because something is missing; that is no error.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.CommandResult.Command is not GroupedCommand command) return usual.Invoke(parseResult);
        foreach (string line in Lines(command)) parseResult.InvocationConfiguration.Output.WriteLine(line);
        return ExitCodes.Done;
    }

    /// <summary>The whole help, line by line.</summary>
    public static IEnumerable<string> Lines(GroupedCommand command)
    {
        string arguments = string.Join(' ', command.Arguments.Select(a => a.Name.ToUpperInvariant()));
        yield return $"ilgd {command.Name} {arguments} [options]    {command.Description}";
        yield return "";
        foreach (string example in command.Examples) yield return new string(' ', Indent) + example;
        var everywhere = command.Parents.OfType<Command>().SelectMany(parent => parent.Options).Where(option => option.Recursive && option is not HelpOption);
        (string Title, Option[] Options)[] groups = [.. command.Groups.SkipLast(1), (command.Groups[^1].Title, [.. command.Groups[^1].Options, .. everywhere])];
        int column = groups.SelectMany(g => g.Options).Max(o => Label(o).Length) + Indent + Gap;
        foreach (var (title, options) in groups)
        {
            yield return "";
            yield return title;
            foreach (var option in options)
            {
                string label = (new string(' ', Indent) + Label(option)).PadRight(column);
                foreach (string text in Wrap(option.Description ?? "", Width - column))
                {
                    yield return label + text;
                    label = new string(' ', column);
                }
            }
        }
    }

    private static string Label(Option option) =>
        string.Join(", ", [.. option.Aliases.OrderBy(a => a.Length), option.Name]) + (option.HelpName is { } value ? $" {value}" : "");

    private static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
