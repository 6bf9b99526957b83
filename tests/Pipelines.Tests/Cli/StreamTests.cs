using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Streams that are closed, full or somebody else's: what is said on stderr never ends a run, and what was asked for on stdout arrives or is an error.</summary>
public sealed class StreamTests : IDisposable
{
    private const string Draw = "$ilgd generate 'a red fox' --device cpu -W 32 -H 32 -s 2 --seed 1";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("2>&-"), InlineData("2>/dev/full"), InlineData("2>&- >/dev/null"), InlineData("2>&- <&-"), InlineData(">&-"), InlineData(">/dev/full"), InlineData(">&- 2>&- <&-")]
    public async Task LostCourtesyOutput_LeavesThePicture(string redirection)
    {
        SkipWithoutShell();
        var plain = await Ilgd.Shell(folder.Path, $"{Draw} -o plain.png");
        var result = await Ilgd.Shell(folder.Path, $"{Draw} -o a.png {redirection}");
        Assert.Equal((0, 0), (plain.ExitCode, result.ExitCode));
        Assert.Equal(File.ReadAllBytes(PathOf("plain.png")), File.ReadAllBytes(PathOf("a.png")));
        if (redirection.StartsWith('>') && !redirection.Contains("2>", StringComparison.Ordinal)) Assert.Contains("warning: stdout cannot be written", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--json -o a.png >&-", "it is closed"), InlineData("--json -o a.png >/dev/full", "No space left"), InlineData("-o - >&-", "it is closed"), InlineData("-o - >/dev/full", "No space left")]
    public async Task LostResult_IsAnError(string options, string reason)
    {
        SkipWithoutShell();
        var result = await Ilgd.Shell(folder.Path, $"{Draw} -q {options}");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ilgd: stdout cannot be written: ", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Contains(reason, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ErrorsThatCannotBeSaid_KeepTheirExitCode()
    {
        SkipWithoutShell();
        Assert.Equal(1, (await Ilgd.Shell(folder.Path, "$ilgd inspect nowhere 2>/dev/full")).ExitCode);
        Assert.Equal(2, (await Ilgd.Shell(folder.Path, "$ilgd generate a --steps zero 2>&-")).ExitCode);
    }

    [Theory]
    [InlineData("-"), InlineData("/dev/stdout")]
    public async Task Picture_GoesToStdout_AndNothingElse(string name)
    {
        SkipWithoutShell();
        var result = await Ilgd.Shell(folder.Path, $"{Draw} -o plain.png >/dev/null && {Draw} -o {name} >a.png && {Draw} -o {name} | head -c 8 | wc -c");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("8", result.Output.Trim());
        Assert.Equal(File.ReadAllBytes(PathOf("plain.png")), File.ReadAllBytes(PathOf("a.png")));
        Assert.DoesNotContain("ilgd:", result.Errors, StringComparison.Ordinal); // a reader that leaves is no error
    }

    [Fact]
    public async Task Prompts_AreDrawnOneByOne_WithOneModel()
    {
        SkipWithoutShell();
        File.WriteAllText(PathOf("prompts.txt"), "\uFEFFa red fox\r\n\n   \n a blue cat \n");
        var result = await Ilgd.Shell(folder.Path, "$ilgd generate --prompts prompts.txt --device cpu -W 32 -H 32 -s 2 --seed 1 && $ilgd generate - --device cpu -W 32 -H 32 -s 2 --seed 1 -o fox.png < prompts.txt");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["a-red-fox-1.png", "a-blue-cat-1.png", "fox.png"], result.OutputLines);
        await Ilgd.Shell(folder.Path, $"{Draw} -o alone.png");
        Assert.Equal(Image.Load(PathOf("alone.png")).Pixels, Image.Load(PathOf("a-red-fox-1.png")).Pixels);
        Assert.Equal("a blue cat", Image.Load(PathOf("a-blue-cat-1.png")).Parameters!.Split('\n')[0]);

        using var json = JsonDocument.Parse((await Ilgd.Shell(folder.Path, "printf 'one\\ntwo\\n' | $ilgd generate --prompts - --device cpu -W 32 -H 32 -s 1 -o many.png --json")).Output);
        Assert.Equal(["many-1.png", "many-2.png"], json.RootElement.EnumerateArray().Select(r => r.GetProperty("files")[0].GetString()));
    }

    [Theory]
    [InlineData("printf '' | $ilgd generate -", 2, "stdin is empty"), InlineData("$ilgd generate - < /dev/zero", 2, "holds more than 1 MiB"), InlineData("$ilgd generate --prompts /dev/zero", 2, "holds more than 1 MiB")]
    [InlineData("printf '\\n\\n' | $ilgd generate --prompts -", 2, "stdin holds 0 prompts"), InlineData("printf '\\377' | $ilgd generate -", 2, "is not UTF-8"), InlineData("$ilgd generate --prompts nowhere", 1, "'nowhere' cannot be read")]
    [InlineData("$ilgd generate --prompts .", 1, "'.' cannot be read"), InlineData("$ilgd generate", 2, "a prompt is missing"), InlineData("printf 'a\\nb\\n' | $ilgd generate --prompts - --save-latents l", 2, "'l' takes the latents of one prompt")]
    public async Task PromptsThatAreNone_AreRefused(string line, int exitCode, string message)
    {
        SkipWithoutShell();
        var result = await Ilgd.Shell(folder.Path, line);
        Assert.Equal((exitCode, true), (result.ExitCode, result.Errors.Contains(message, StringComparison.Ordinal)));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Redirected_GetsFewLines_AndQuietNone()
    {
        SkipWithoutShell();
        var result = await Ilgd.Shell(folder.Path, "$ilgd generate 'a red fox' --device cpu -W 32 -H 32 -s 60 --seed 1 -o a.png");
        Assert.InRange(result.ErrorLines.Length, 4, 8);
        Assert.Contains(result.ErrorLines, line => line.StartsWith("denoise 60/60", StringComparison.Ordinal));
        Assert.Empty((await Ilgd.Shell(folder.Path, $"{Draw} --quiet -o a.png")).Errors);
    }

    [Fact]
    public void ProgressLines_AreFirstLastAndOneInAWhile()
    {
        var said = new List<string>();
        var lines = new ProgressLines("title", said.Add);
        lines.Report(new(GenerationStage.EncodePrompt, 0, 1));
        for (int step = 0; step <= 1000; step++) lines.Report(new(GenerationStage.Denoise, step, 1000));
        lines.Report(new(GenerationStage.Decode, 1, 1));
        Assert.Equal(["title", "denoise 1/1000", "denoise 1000/1000", "decode 1/1"], said.Select(line => string.Join(' ', line.Split(' ').Take(2))));
    }

    private static void SkipWithoutShell()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("A shell closes and fills the streams.");
    }

    private string PathOf(string file) => Path.Combine(folder.Path, file);
}
