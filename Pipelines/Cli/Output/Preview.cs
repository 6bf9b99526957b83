using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Images;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Shows images in a terminal that supports them.</summary>
internal static class Preview
{
    /// <summary>The environment variable that names a protocol, as <c>--preview-protocol</c> does.</summary>
    public const string Variable = "ILGPUDIFFUSION_PREVIEW";

    private const int MostColumns = 64, MostImages = 4, LinesKept = 3, GapShare = 32;

    /// <summary>The values that select a protocol.</summary>
    public static IReadOnlyList<string> Words { get; } = ["auto", "none", "256", "blocks", "sixel", "iterm2", "kitty"];

    /// <summary>Whether images are shown: both streams are terminals, and the protocol is not <c>none</c>.</summary>
    /// <param name="wanted">A value that selects a protocol; null reads the environment.</param>
    public static bool IsShown(string? wanted) => ProtocolOf(wanted) != TerminalProtocol.None;

    /// <summary>Shows the first images on stderr, side by side, above the progress bars if there are any.</summary>
    /// <param name="images">The images.</param>
    /// <param name="wanted">A value that selects a protocol; null reads the environment.</param>
    public static void Show(IReadOnlyList<Image> images, string? wanted)
    {
        var protocol = ProtocolOf(wanted);
        if (images.Count == 0 || protocol == TerminalProtocol.None) return;
        var profile = Terminals.Error.Profile;
        var strip = ImageStrip.Of([.. images.Take(MostImages)], Math.Max(1, images[0].Width / GapShare));
        string drawn = TerminalImage.Draw(strip, protocol, Columns(strip, profile.Width, profile.Height));
        if (Messages.BarIsDrawn) Terminals.Error.Write(new ControlCode(drawn));
        else StandardStreams.RawErrors.Write(drawn);
    }

    private static TerminalProtocol ProtocolOf(string? wanted) =>
        Console.IsOutputRedirected || Console.IsErrorRedirected ? TerminalProtocol.None
            : Protocol(wanted ?? Environment.GetEnvironmentVariable(Variable), Terminals.Error.Profile.Capabilities.ColorSystem,
                Environment.GetEnvironmentVariable);

    /// <summary>Width in columns: what the terminal allows without scrolling the image's top away, at most the image's own width.</summary>
    public static int Columns(Image image, int terminalColumns, int terminalLines)
    {
        // a cell is two pixels high
        int fitting = (int)Math.Min(int.MaxValue, Math.Max(1, terminalLines - LinesKept) * 2L * image.Width / image.Height);
        // several side by side
        int most = MostColumns * Math.Max(1, Math.Min(MostImages, (image.Width + image.Height / 2) / image.Height));
        return Math.Max(1, Math.Min(Math.Min(most, terminalColumns - 1), Math.Min(fitting, image.Width)));
    }

    /// <summary>
    /// Detects the protocol from the environment. The terminal is not queried, since one that does not support the query never answers.
    /// Sixels are used only where the terminal's name implies them. tmux and screen pass no images on.
    /// </summary>
    public static TerminalProtocol Protocol(string? wanted, ColorSystem colours, Func<string, string?> environment)
    {
        switch (wanted?.ToLowerInvariant())
        {
            case "none": return TerminalProtocol.None;
            case "256": return TerminalProtocol.Blocks256;
            case "blocks": return TerminalProtocol.Blocks;
            case "sixel": return TerminalProtocol.Sixel;
            case "iterm2": return TerminalProtocol.ITerm2;
            case "kitty": return TerminalProtocol.Kitty;
        }

        string term = environment("TERM") ?? "", program = environment("TERM_PROGRAM") ?? "";
        bool multiplexed = environment("TMUX") is { Length: > 0 } || term.StartsWith("tmux", StringComparison.Ordinal)
            || term.StartsWith("screen", StringComparison.Ordinal);
        if (!multiplexed && colours != ColorSystem.NoColors)
        {
            if (environment("KITTY_WINDOW_ID") is { Length: > 0 } || term is "xterm-kitty" or "xterm-ghostty" || program == "ghostty")
                return TerminalProtocol.Kitty;
            if (program is "iTerm.app" or "WezTerm" || environment("LC_TERMINAL") == "iTerm2") return TerminalProtocol.ITerm2;
            if (term.Contains("sixel", StringComparison.Ordinal) || term is "foot" or "foot-extra" or "mlterm")
                return TerminalProtocol.Sixel;
        }

        return colours switch
        {
            ColorSystem.TrueColor => TerminalProtocol.Blocks,
            ColorSystem.EightBit => TerminalProtocol.Blocks256,
            _ => TerminalProtocol.None
        };
    }
}
