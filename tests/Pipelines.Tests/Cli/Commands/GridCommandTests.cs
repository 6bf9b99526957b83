using System.Globalization;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd grid</c>: the sheet, its labels, the table of times, and what is refused.</summary>
public sealed class GridCommandTests : IDisposable
{
    private const int Gap = 6;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Grid_TwoOptions_DrawsTheImagesOfGenerate()
    {
        var grid = await Run("grid", "a red fox, \"sly\"", "--rows", "scheduler=euler,dpm2 a", "--columns", "steps=1,2", "-o", "g.png",
            "--csv", "t.csv", "--seed", "5", "-W", "48", "-H", "32");
        Assert.Equal((0, "g.png"), (grid.ExitCode, grid.Output.Trim()));
        Assert.Equal(["g.png", "t.csv"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var single = await Run("generate", "a red fox, \"sly\"", "--scheduler", "dpm2_a", "-s", "2", "-o", "one.png", "--seed", "5",
            "-W", "48", "-H", "32");
        Assert.Equal(0, single.ExitCode);

        Image sheet = Image.Load(PathOf("g.png")), one = Image.Load(PathOf("one.png"));
        Assert.Null(sheet.RequestJson); // a sheet cannot be generated again from one image's settings
        Assert.Equal(one.Pixels, Part(sheet, sheet.Width - Gap - 48, sheet.Height - Gap - 32, 48, 32));
        Assert.NotEqual(one.Pixels, Part(sheet, sheet.Width - 2 * (Gap + 48), sheet.Height - Gap - 32, 48, 32));

        string[] lines = await File.ReadAllLinesAsync(PathOf("t.csv"), TestContext.Current.CancellationToken);
        Assert.Equal("scheduler,steps,width,height,seed,evaluations,latency_s,denoise_s,compile_s,steps_per_s,error", lines[0]);
        Assert.Equal(["euler,1,48,32,5,1", "euler,2,48,32,5,2", "dpm2 a,1,48,32,5,1", "dpm2 a,2,48,32,5,3"],
            lines[1..].Select(line => string.Join(',', line.Split(',')[..6])));
        Assert.All(lines[1..], line => Assert.True(double.Parse(line.Split(',')[9], CultureInfo.InvariantCulture) > 0));
    }

    [Fact]
    public async Task Grid_OneCellFails_NamesItAndKeepsTheOthers()
    {
        var grid = await Run("grid", "--rows", "steps=1,2000", "a red fox", "-W", "48", "-H", "32", "--csv", "t.csv");
        Assert.Equal((1, "grid.png"), (grid.ExitCode, grid.Output.Trim()));
        Assert.Contains(grid.ErrorLines, line => line.Contains("steps 2000: ", StringComparison.Ordinal)
            && line.Contains("it must be between 1 and 1000", StringComparison.Ordinal));
        Assert.Contains("steps is 2000", (await File.ReadAllLinesAsync(PathOf("t.csv"), TestContext.Current.CancellationToken))[2],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grid_Cancelled_KeepsTheImagesItHas()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Signals are sent by libc.");
        var grid = await Ilgd.Watched(folder.Path, (process, line) =>
        {
            if (line.StartsWith("2/2", StringComparison.Ordinal)) process.Send(signal: 2);
        }, "grid", "a red fox", "--rows", "steps=1,900", "-W", "48", "-H", "32", "--model", TinySdxl.Folder);
        Assert.Equal(130, grid.ExitCode);
        Assert.Contains("cancelled after 1 of 2 images; they are on the sheet", grid.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists(PathOf("grid.png")));
    }

    [Theory]
    [InlineData("cannot vary 'model'", "a fox", "--rows", "model=a,b")]
    [InlineData("--steps is given, and the grid varies it", "a fox", "--rows", "steps=1,2", "--steps", "3")]
    [InlineData("both vary steps", "a fox", "--rows", "steps=1", "--columns", "steps=2")]
    [InlineData("a prompt is given, and the grid varies it", "a fox", "--rows", "prompt=a;b")]
    [InlineData("steps two: ", "a fox", "--rows", "steps=1,two")]
    public async Task Grid_WhatItCannotVary_IsRefusedBeforeAModelIsLoaded(string message, params string[] arguments)
    {
        var result = await Run(["grid", .. arguments]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Parse_Axis_SplitsAtCommasOrSemicolons()
    {
        Assert.Equal(["4", "8"], GridAxis.Parse("--rows", "--steps=4, 8").Values);
        Assert.Equal(["a, b", "c"], GridAxis.Parse("--rows", "prompt=a, b;c").Values);
        Assert.Equal(["--guidance-scale=1.5"], GridAxis.Parse("--rows", "Guidance-Scale=1.5").Words("1.5"));
        foreach (string wrong in new[] { "steps", "=4", "steps=", "steps=4,4" })
            Assert.Contains("--rows", Assert.Throws<ArgumentException>(() => GridAxis.Parse("--rows", wrong)).Message,
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a red heart", 20, 2, "a red heart"), InlineData("a red heart", 6, 3, "a red|heart")]
    [InlineData("abcdefgh", 4, 2, "abcd|efgh")]
    [InlineData("a red heart on snow", 6, 2, "a red|hear.."), InlineData("", 5, 2, "")]
    public void Wrap_Text_FitsItsColumns(string text, int columns, int lines, string expected) =>
        Assert.Equal(expected, string.Join('|', PixelFont.Wrap(text, columns, lines)));

    [Fact]
    public void Draw_Text_MarksPixelsInsideTheImageOnly()
    {
        var image = new Image(12, 8, [.. Enumerable.Repeat(byte.MaxValue, 12 * 8 * 3)]);
        PixelFont.Draw(image, "I狐~~~", 0, 0, 1); // runs out of the image
        string[] rows = [.. Enumerable.Range(0, 7).Select(y => string.Concat(Enumerable.Range(0, 11)
            .Select(x => image.Pixels[(y * 12 + x) * 3] == 0 ? '#' : '.')))];
        Assert.Equal([".###..#####", "..#...#...#", "..#...#...#", "..#...#...#", "..#...#...#", "..#...#...#", ".###..#####"], rows);
    }

    private static byte[] Part(Image image, int left, int top, int width, int height) =>
        [.. Enumerable.Range(top, height).SelectMany(y => image.Pixels.AsSpan((y * image.Width + left) * 3, width * 3).ToArray())];

    private string PathOf(string name) => Path.Combine(folder.Path, name);

    private Task<IlgdResult> Run(params string[] arguments) => Ilgd.Run(folder.Path, [.. arguments, "--model", TinySdxl.Folder]);
}
