using System.Text;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// Consoles for stdout and stderr: with the width and colours of the terminal, or without colours and as wide as needed where there is
/// none.
/// </summary>
internal static class Terminals
{
    /// <summary>Columns of help where no terminal gives a width.</summary>
    public const int TextColumns = 120;

    private const int Unbounded = 100_000;

    private static readonly Lazy<IAnsiConsole> Output = new(() => Create(StandardStreams.RawOutput, Console.IsOutputRedirected));
    private static readonly Lazy<IAnsiConsole> Errors = new(() => Create(StandardStreams.RawErrors, Console.IsErrorRedirected));

    /// <summary>Console for requested output.</summary>
    public static IAnsiConsole Out => Output.Value;

    /// <summary>Console for progress, notes and images.</summary>
    public static IAnsiConsole Error => Errors.Value;

    /// <summary>Width of the terminal on stdout; null where there is none, and lines may have any length.</summary>
    public static int? OutputColumns => Console.IsOutputRedirected ? null : Out.Profile.Width;

    /// <summary>Width of the terminal on stderr; null where there is none.</summary>
    public static int? ErrorColumns => Console.IsErrorRedirected ? null : Error.Profile.Width;

    /// <summary>Writes a text to stdout, wrapped between words in a terminal.</summary>
    public static void Say(string text, int indent = 0) => Console.Write(new Page(OutputColumns).Paragraph(text, indent).ToString());

    /// <summary>Whether progress bars can be redrawn on stderr.</summary>
    public static bool ErrorIsInteractive => Error.Profile.Out.IsTerminal && Error.Profile.Capabilities.Ansi;

    /// <summary>Creates a console on a writer.</summary>
    /// <param name="writer">The writer.</param>
    /// <param name="redirected">Whether it is not a terminal.</param>
    /// <param name="columns">Its width; null takes the terminal's, or what the content needs.</param>
    public static IAnsiConsole Create(TextWriter writer, bool redirected, int? columns = null)
    {
        bool ansi = !redirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi || (!redirected && OperatingSystem.IsWindows()) ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            // for bars that are redrawn; the tool never prompts
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
            // The encoding of the streams is kept.
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
