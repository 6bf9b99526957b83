using System.Text.RegularExpressions;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines.Images;
using Spectre.Console;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Images in terminals: the output of each protocol, and the choice among them.</summary>
public sealed partial class TerminalProtocolTests
{
    [Theory]
    [InlineData(0, 0, 0, 16), InlineData(255, 255, 255, 231), InlineData(255, 0, 0, 196), InlineData(128, 128, 128, 244),
        InlineData(95, 135, 175, 67), InlineData(8, 8, 8, 232), InlineData(250, 3, 2, 196)]
    public void Palette_AnyColour_GivesTheNearest(byte red, byte green, byte blue, int index) =>
        Assert.Equal(index, Palette256.Nearest((red, green, blue)));

    [Fact]
    public void Palette_EachOfItsColours_IsFound()
    {
        for (int index = 16; index < 256; index++)
            Assert.Equal(Palette256.Colour(index), Palette256.Colour(Palette256.Nearest(Palette256.Colour(index))));
    }

    [Fact]
    public void Blocks256_TwoPixelsPerCell_NamesTheirIndices() =>
        Assert.Equal("\e[38;5;196m\e[48;5;16m▀\e[0m\n",
            TerminalImage.Draw(new Image(1, 2, [255, 0, 0, 0, 0, 0]), TerminalProtocol.Blocks256, 1));

    [Fact]
    public void Sixels_Decoded_AreTheImage()
    {
        var image = new Image(9, 13, new byte[9 * 13 * 3]);
        for (int i = 0; i < image.Pixels.Length; i += 3)
        {
            var (red, green, blue) = Palette256.Colour(16 + i / 3 / 30 * 40 % 216);
            (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]) = (red, green, blue);
        }

        Assert.Equal(image.Pixels.Chunk(3).Select(p => Palette256.Nearest((p[0], p[1], p[2]))), Decode(Sixels.Encode(image), 9, 13));
    }

    [Fact]
    public void Kitty_LargeImage_IsSentAsPngInChunks()
    {
        var image = new Image(64, 64, new byte[64 * 64 * 3]);
        new Random(1).NextBytes(image.Pixels);
        string[] parts = TerminalImage.Draw(image, TerminalProtocol.Kitty, 20).TrimEnd('\n')
            .Split("\e\\", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("\e_Ga=T,f=100,q=2,c=20,m=1;", parts[0], StringComparison.Ordinal);
        Assert.All(parts[1..^1], part => Assert.StartsWith("\e_Gm=1;", part, StringComparison.Ordinal));
        Assert.StartsWith("\e_Gm=0;", parts[^1], StringComparison.Ordinal);
        Assert.All(parts, part => Assert.InRange(part[(part.IndexOf(';') + 1)..].Length, 1, 4096));
        Assert.Equal(image.EncodePng(), Convert.FromBase64String(string.Concat(parts.Select(part => part[(part.IndexOf(';') + 1)..]))));
    }

    [Fact]
    public void ITerm2_AnyImage_IsSentAsPngWithItsSize()
    {
        var image = new Image(2, 1, [1, 2, 3, 4, 5, 6]);
        byte[] png = image.EncodePng();
        Assert.Equal($"\e]1337;File=inline=1;size={png.Length};width=5;preserveAspectRatio=1:{Convert.ToBase64String(png)}\a\n",
            TerminalImage.Draw(image, TerminalProtocol.ITerm2, 5));
    }

    [Fact]
    public void Strip_OfTwoImages_PutsThemSideBySide()
    {
        var strip = ImageStrip.Of([new Image(1, 2, [1, 1, 1, 2, 2, 2]), new Image(1, 2, [3, 3, 3, 4, 4, 4])], 1);
        Assert.Equal((3, 2), (strip.Width, strip.Height));
        Assert.Equal([1, 1, 1, 0, 0, 0, 3, 3, 3, 2, 2, 2, 0, 0, 0, 4, 4, 4], strip.Pixels);
    }

    /// <summary>Environment, colours, expected protocol.</summary>
    public static TheoryData<string, ColorSystem, string> Environments => new()
    {
        { "TERM=xterm-kitty", ColorSystem.TrueColor, "Kitty" },
        { "TERM=xterm-256color KITTY_WINDOW_ID=1", ColorSystem.EightBit, "Kitty" },
        { "TERM=xterm-256color KITTY_WINDOW_ID=1 TMUX=/tmp/t", ColorSystem.EightBit, "Blocks256" },
        { "TERM=xterm-256color TERM_PROGRAM=iTerm.app", ColorSystem.TrueColor, "ITerm2" },
        { "TERM=xterm-256color TERM_PROGRAM=WezTerm", ColorSystem.TrueColor, "ITerm2" },
        { "TERM=screen-256color TERM_PROGRAM=iTerm.app", ColorSystem.EightBit, "Blocks256" },
        { "TERM=foot", ColorSystem.TrueColor, "Sixel" },
        { "TERM=yaft-sixel", ColorSystem.EightBit, "Sixel" },
        { "TERM=xterm-256color", ColorSystem.EightBit, "Blocks256" },
        { "TERM=xterm-256color TERM_PROGRAM=vscode", ColorSystem.TrueColor, "Blocks" },
        { "TERM=xterm", ColorSystem.Standard, "None" },
        { "TERM=xterm-kitty", ColorSystem.NoColors, "None" },
    };

    [Theory, MemberData(nameof(Environments))]
    public void Protocol_ByEnvironment_IsTheExpectedOne(string environment, ColorSystem colours, string expected)
    {
        var variables = environment.Split(' ').Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        Assert.Equal(expected, Preview.Protocol(null, colours, variables.GetValueOrDefault).ToString());
        Assert.Equal(TerminalProtocol.Sixel, Preview.Protocol("sixel", colours, variables.GetValueOrDefault)); // explicit
        Assert.Equal(TerminalProtocol.None, Preview.Protocol("none", colours, variables.GetValueOrDefault));
    }

    /// <summary>A decoder of the commands in the manual: raster, colours, runs, carriage return, next band.</summary>
    private static int[] Decode(string text, int width, int height)
    {
        Assert.StartsWith($"\eP0;1q\"1;1;{width};{height}#", text, StringComparison.Ordinal);
        Assert.EndsWith("-\e\\", text, StringComparison.Ordinal);
        int[] pixels = new int[width * height];
        int x = 0, top = 0, colour = -1;
        foreach (Match match in Command().Matches(text[(text.IndexOf('"') + $"\"1;1;{width};{height}".Length)..^2]))
        {
            string command = match.Value;
            if (command[0] == '#' && command.Contains(';')) continue; // a definition
            if (command[0] == '#') colour = int.Parse(command[1..]);
            else if (command == "$") x = 0;
            else if (command == "-") (x, top) = (0, top + 6);
            else
            {
                int count = command[0] == '!' ? int.Parse(command[1..^1]) : 1;
                for (int end = x + count; x < end; x++)
                    for (int row = 0; row < 6; row++)
                        if (((command[^1] - '?') >> row & 1) != 0) pixels[(top + row) * width + x] = colour;
            }
        }

        return pixels;
    }

    [GeneratedRegex(@"#\d+(;\d+)*|!\d+[?-~]|[$\-]|[?-~]")]
    private static partial Regex Command();
}
