using ILGpuDiffusion.Pipelines;
using Spectre.Console;

namespace ILGpuDiffusion.Cli;

/// <summary>Shows finished pictures on a terminal that knows 24-bit colour, and only there.</summary>
internal static class Preview
{
    private const int MostColumns = 64, MostPictures = 4, LinesKept = 3;

    /// <summary>Draws the first pictures to stderr when a person is watching both streams.</summary>
    public static void Show(IReadOnlyList<Image> images)
    {
        if (Console.IsOutputRedirected || Console.IsErrorRedirected) return;
        var profile = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Profile;
        if (profile.Capabilities.ColorSystem != ColorSystem.TrueColor) return;
        foreach (var image in images.Take(MostPictures))
            Console.Error.Write(TerminalPicture.Draw(image, Columns(image, profile.Width, profile.Height)));
    }

    /// <summary>As wide as the terminal allows without scrolling the picture's top away, and never wider than the picture.</summary>
    public static int Columns(Image image, int terminalColumns, int terminalLines)
    {
        int fitting = Math.Max(1, terminalLines - LinesKept) * 2 * image.Width / image.Height; // a cell is two pixels high
        return Math.Max(1, Math.Min(Math.Min(MostColumns, terminalColumns - 1), Math.Min(fitting, image.Width)));
    }
}
