using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Streams that are closed, full or redirected: failures of stderr never end a run, and results that cannot be written to stdout
/// are an error.</summary>
public sealed class StreamTests : IDisposable
{
    private static readonly string[] Small = ["--device", "cpu", "-W", "32", "-H", "32", "-s", "2", "--seed", "1"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("2>&-"), InlineData("2>/dev/full"), InlineData("2>&- >/dev/null"), InlineData("2>&- <&-"), InlineData(">&-")]
    [InlineData(">/dev/full")]
    [InlineData(">&- 2>&- <&-")]
    public async Task Generate_StderrOrProgressIsLost_WritesTheImage(string redirections)
    {
        var plain = await Draw("", "-o", "plain.png");
        var result = await Draw(redirections, "-o", "a.png");
        Assert.Equal((0, 0), (plain.ExitCode, result.ExitCode));
        Assert.Equal(Bytes("plain.png"), Bytes("a.png"));
        if (redirections.StartsWith('>') && !redirections.Contains("2>", StringComparison.Ordinal))
            Assert.Matches(@"warning: stdout cannot be written: .+\. Written: a\.png", result.Errors);
    }

    [Theory]
    [InlineData(">&-", "it is closed", "--json", "-o", "a.png"), InlineData(">/dev/full", "No space left", "--json", "-o", "a.png")]
    [InlineData(">&-", "it is closed", "-o", "-"), InlineData(">/dev/full", "No space left", "-o", "-")]
    public async Task Generate_StdoutCannotBeWritten_IsAnError(string redirections, string reason, params string[] options)
    {
        var result = await Draw(redirections, ["-q", .. options]);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ilgd: stdout cannot be written: ", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Contains(reason, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_StderrIsClosed_KeepsItsExitCode()
    {
        Assert.Equal(1, (await Run("2>/dev/full", "inspect", "nowhere")).ExitCode);
        Assert.Equal(2, (await Run("2>&-", "generate", "a", "--steps", "zero")).ExitCode);
    }

    [Theory]
    [InlineData("-"), InlineData("/dev/stdout")]
    public async Task Generate_ToStdout_WritesTheImageAndNothingElse(string name)
    {
        await Draw("", "-o", "plain.png");
        var result = await Draw(">a.png", "-o", name);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Bytes("plain.png"), Bytes("a.png"));
    }

    [Fact]
    public async Task Stdout_ReaderCloses_IsNoError()
    {
        SkipOutsideLinux();
        using var child = Ilgd.Start(folder.Path, "2>errors", ["generate", "a red fox", .. Small, "-o", "-"]);
        child.Output!.Dispose();
        Assert.Equal(0, await child.WaitAsync());
        Assert.DoesNotContain("ilgd:", File.ReadAllText(PathOf("errors")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_ToANamedPipe_WritesThereAndKeepsThePipe()
    {
        SkipOutsideLinux();
        Child.MakePipe(PathOf("pipe"));
        var read = Task.Run(() => Bytes("pipe"));
        var result = await Draw("", "-o", "pipe");
        Assert.Equal((0, "pipe"), (result.ExitCode, result.Output));
        byte[] received = await read.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal([PathOf("pipe")], Directory.GetFileSystemEntries(folder.Path));
        Assert.Equal(0, new FileInfo(PathOf("pipe")).Length);
        await Draw("", "-o", "plain.png");
        Assert.Equal(Bytes("plain.png"), received);
    }

    [Fact]
    public async Task Prompts_OfAFile_AreDrawnOneByOneWithOneModel()
    {
        File.WriteAllText(PathOf("prompts.txt"), "\uFEFFa red fox\r\n\n   \n a blue cat \n");
        var result = await Run("", ["generate", "--prompts", "prompts.txt", .. Small]);
        Assert.Equal(["a-red-fox-1.png", "a-blue-cat-1.png"], result.OutputLines);
        Assert.Equal(["fox.png"], (await Run("<prompts.txt", ["generate", "-", .. Small, "-o", "fox.png"])).OutputLines);
        await Draw("", "-o", "alone.png");
        Assert.Equal(Image.Load(PathOf("alone.png")).Pixels, Image.Load(PathOf("a-red-fox-1.png")).Pixels);
        Assert.Equal("a blue cat", Image.Load(PathOf("a-blue-cat-1.png")).Parameters!.Split('\n')[0]);
    }

    [Fact]
    public async Task Prompts_WithOneOutputName_NumberAllImages()
    {
        File.WriteAllText(PathOf("prompts.txt"), "one\ntwo\n");
        var result = await Run("<prompts.txt", ["generate", "--prompts", "-", .. Small, "--count", "2", "-o", "many.png", "--json"]);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(["many-1.png", "many-2.png", "many-3.png", "many-4.png"],
            json.RootElement.EnumerateArray().SelectMany(r => r.GetProperty("files").EnumerateArray()).Select(f => f.GetString()));
        Assert.Equal(["one", "one", "two", "two"],
            Enumerable.Range(1, 4).Select(i => Image.Load(PathOf($"many-{i}.png")).Parameters!.Split('\n')[0]));
    }

    [Fact]
    public async Task Prompts_OfOneName_OverwriteNothing()
    {
        File.WriteAllText(PathOf("prompts.txt"), "a fox\nA fox!\na fox\n");
        var result = await Run("", ["generate", "--prompts", "prompts.txt", .. Small]);
        Assert.Equal(["a-fox-1.png", "a-fox-1-2.png", "a-fox-1-3.png"], result.OutputLines);
        Assert.Equal(["a fox", "A fox!", "a fox"], result.OutputLines.Select(file => Image.Load(PathOf(file)).Parameters!.Split('\n')[0]));
    }

    [Theory]
    [InlineData("", 2, "stdin is empty", "-"), InlineData("</dev/zero", 2, "holds more than 1 MiB", "-")]
    [InlineData("", 2, "holds more than 1 MiB", "--prompts", "/dev/zero")]
    [InlineData("<lines", 2, "stdin holds 0 prompts", "--prompts", "-"), InlineData("<binary", 2, "is not UTF-8", "-")]
    [InlineData("", 2, "a prompt is missing")]
    [InlineData("", 1, "'nowhere' cannot be read", "--prompts", "nowhere"), InlineData("", 1, "'.' cannot be read", "--prompts", ".")]
    [InlineData("", 2, "'l' takes the latents of one prompt", "--prompts", "two", "--save-latents", "l")]
    public async Task Prompts_EmptyOrAbsent_AreRefused(string redirections, int exitCode, string message, params string[] options)
    {
        foreach (var (name, content) in (ReadOnlySpan<(string, byte[])>)[("lines", "\n\n"u8.ToArray()), ("binary", [255]),
            ("two", "a\nb\n"u8.ToArray())])
            File.WriteAllBytes(PathOf(name), content);
        var result = await Run(redirections, ["generate", .. options]);
        Assert.Equal((exitCode, true), (result.ExitCode, result.Errors.Contains(message, StringComparison.Ordinal)));
        Assert.Equal(3, Directory.GetFileSystemEntries(folder.Path).Length);
    }

    [Fact]
    public async Task Stderr_Redirected_GetsFewLinesAndQuietNone()
    {
        var result = await Run("", "generate", "a red fox", "--device", "cpu", "-W", "32", "-H", "32", "-s", "60", "--seed", "1", "-o",
            "a.png");
        Assert.InRange(result.ErrorLines.Length, 4, 8);
        Assert.Contains(result.ErrorLines, line => line.StartsWith("denoise 60/60", StringComparison.Ordinal));
        Assert.Empty((await Draw("", "--quiet", "-o", "a.png")).Errors);
    }

    [Fact]
    public async Task Generate_OptionsWithoutEffectOnTheDevice_AreReported()
    {
        var result = await Draw("", "--offload", "--preview", "1", "-o", "a.png");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("warning: --preview has no effect", result.Errors, StringComparison.Ordinal);
        Assert.Contains("warning: --offload has no effect on a CPU", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void ProgressLines_OfALongRun_AreFirstLastAndOneInAWhile()
    {
        var said = new List<string>();
        var lines = new ProgressLines("title", said.Add);
        lines.Report(new(GenerationStage.EncodePrompt, 0, 1));
        for (int step = 0; step <= 1000; step++) lines.Report(new(GenerationStage.Denoise, step, 1000));
        lines.Report(new(GenerationStage.Decode, 1, 1));
        Assert.Equal(["title", "denoise 1/1000", "denoise 1000/1000", "decode 1/1"],
            said.Select(line => string.Join(' ', line.Split(' ').Take(2))));
    }

    private Task<IlgdResult> Draw(string redirections, params string[] options) =>
        Run(redirections, ["generate", "a red fox", .. Small, .. options]);

    private Task<IlgdResult> Run(string redirections, params string[] arguments)
    {
        SkipOutsideLinux();
        return Ilgd.Redirected(folder.Path, redirections, arguments);
    }

    private static void SkipOutsideLinux()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Streams are closed and filled by libc.");
    }

    private byte[] Bytes(string file) => File.ReadAllBytes(PathOf(file));

    private string PathOf(string file) => Path.Combine(folder.Path, file);
}
