using System.Text.RegularExpressions;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public class TerminalImageTests
{
    [Fact]
    public void Draw_TwoByTwo_IsTwoCells()
    {
        var image = new Image(2, 2, [255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255]);
        Assert.Equal("\e[38;2;255;0;0m\e[48;2;0;0;255m▀\e[38;2;0;255;0m▀\e[0m\n", TerminalImage.Draw(image, 2));
    }

    [Theory]
    [InlineData(512, 512, 40, 20)]
    [InlineData(100, 300, 10, 15)]
    [InlineData(300, 1, 8, 1)]
    [InlineData(3, 3, 12, 6)] // wider than the image
    public void Draw_AnySize_KeepsProportionsAndEndsEachLineWithAReset(int width, int height, int columns, int lines)
    {
        string[] drawn = TerminalImage.Draw(TestImages.Gradient(width, height), columns).Split('\n')[..^1];
        Assert.Equal(lines, drawn.Length);
        foreach (string line in drawn)
        {
            Assert.EndsWith("\e[0m", line, StringComparison.Ordinal);
            Assert.Equal(new string('▀', columns), Regex.Replace(line, "\e\\[[0-9;]*m", ""));
        }
    }

    [Fact]
    public void Draw_ManyPixelsToACell_AveragesThem()
    {
        var image = new Image(2, 4, [0, 0, 0, 100, 40, 0, 0, 0, 0, 100, 40, 0, .. new byte[12]]);
        Assert.StartsWith("\e[38;2;50;20;0m\e[48;2;0;0;0m▀", TerminalImage.Draw(image, 1), StringComparison.Ordinal);
    }
}
