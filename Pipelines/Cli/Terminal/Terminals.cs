using System.Text;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>stdout and stderr as places for tables, bars and colours: as wide as the terminal; without colour, and as wide as they need,
/// where they are no terminal.</summary>
internal static class Terminals
{
    /// <summary>Columns of help where nobody's terminal says how many there are.</summary>
    public const int TextColumns = 120;

    private const int Unbounded = 100_000;

    private static readonly Lazy<IAnsiConsole> Output = new(() => Create(StandardStreams.RawOutput, Console.IsOutputRedirected));
    private static readonly Lazy<IAnsiConsole> Errors = new(() => Create(StandardStreams.RawErrors, Console.IsErrorRedirected));

    /// <summary>What was asked for.</summary>
    public static IAnsiConsole Out => Output.Value;

    /// <summary>Progress, notes and images.</summary>
    public static IAnsiConsole Error => Errors.Value;

    /// <summary>Columns of the terminal that shows stdout; null where there is none, and lines may be as long as they are.</summary>
    public static int? OutputColumns => Console.IsOutputRedirected ? null : Out.Profile.Width;

    /// <summary>The same of stderr.</summary>
    public static int? ErrorColumns => Console.IsErrorRedirected ? null : Error.Profile.Width;

    /// <summary>Writes a text to stdout, broken between words where that is a terminal.</summary>
    public static void Say(string text, int indent = 0) => Console.Write(new Page(OutputColumns).Paragraph(text, indent).ToString());

    /// <summary>Whether bars can be drawn over on stderr.</summary>
    public static bool ErrorIsInteractive => Error.Profile.Out.IsTerminal && Error.Profile.Capabilities.Ansi;

    /// <summary>A console on a writer.</summary>
    /// <param name="writer">Where it writes.</param>
    /// <param name="redirected">Whether that is no terminal.</param>
    /// <param name="columns">Its width; null asks the terminal, or takes what the content needs.</param>
    public static IAnsiConsole Create(TextWriter writer, bool redirected, int? columns = null)
    {
        bool ansi = !redirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi || (!redirected && OperatingSystem.IsWindows()) ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            // of bars that are drawn over; nobody is asked anything
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Yes,
            Out = new Place(writer, !redirected, columns),
        });
    }

    private sealed class Place(TextWriter writer, bool isTerminal, int? columns) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => columns ?? (isTerminal ? Measure(static () => Console.WindowWidth, 80) : Unbounded);

        public int Height => isTerminal ? Measure(static () => Console.WindowHeight, 24) : 24;

        public void SetEncoding(Encoding encoding)
        {
            // The streams' own encoding stays.
        }

        private static int Measure(Func<int> ask, int otherwise)
        {
            try
            {
                return ask() is > 0 and var size ? size : otherwise;
            }
            catch (Exception e) when (e is IOException or PlatformNotSupportedException)
            {
                return otherwise;
            }
        }
    }
}
