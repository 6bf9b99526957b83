using ILGpuDiffusion.Compute.Files;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// All output other than results: on stderr, bounded, with control characters made visible; failing to write it never ends a run.
/// </summary>
internal static class Messages
{
    /// <summary>Whether only errors and warnings are printed.</summary>
    public static bool Quiet { get; set; }

    /// <summary>Whether details are said too, such as how long each kernel took to compile.</summary>
    public static bool Verbose { get; set; }

    /// <summary>Whether a bar is being drawn, above which messages must appear.</summary>
    public static bool BarIsDrawn { get; set; }

    /// <summary>Prints why a run fails.</summary>
    public static void Error(string text) => Write($"ilgd: {text}");

    /// <summary>Prints a warning.</summary>
    public static void Warning(string text) => Write($"warning: {text}");

    /// <summary>Prints progress and hints.</summary>
    public static void Note(string text)
    {
        if (!Quiet) Write(text);
    }

    /// <summary>Prints more about an error.</summary>
    public static void Detail(string text) => Write(text);

    private static void Write(string text)
    {
        string shown = OutsideText.Message(text);
        if (BarIsDrawn) Terminals.Error.Write(new Text(shown + "\n"));
        else Console.Error.Write(new Page(Terminals.ErrorColumns).Paragraph(shown).ToString());
    }
}
