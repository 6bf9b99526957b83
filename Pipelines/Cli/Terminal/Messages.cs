using ILGpuDiffusion.Compute.Files;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Everything that the tool says beside its results: on stderr, bounded, visible, and never the end of a run.</summary>
internal static class Messages
{
    /// <summary>Whether only errors and warnings are said.</summary>
    public static bool Quiet { get; set; }

    /// <summary>Whether details are said too, such as how long each kernel took to compile.</summary>
    public static bool Verbose { get; set; }

    /// <summary>Whether a bar is being drawn, above which messages must appear.</summary>
    public static bool BarIsDrawn { get; set; }

    /// <summary>Why a run fails.</summary>
    public static void Error(string text) => Write($"ilgd: {text}");

    /// <summary>What a person should know.</summary>
    public static void Warning(string text) => Write($"warning: {text}");

    /// <summary>What goes on, and hints.</summary>
    public static void Note(string text)
    {
        if (!Quiet) Write(text);
    }

    /// <summary>More about an error.</summary>
    public static void Detail(string text) => Write(text);

    private static void Write(string text)
    {
        string shown = OutsideText.Message(text);
        if (BarIsDrawn) Terminals.Error.Write(new Text(shown + "\n"));
        else Console.Error.Write(new Page(Terminals.ErrorColumns).Paragraph(shown).ToString());
    }
}
