using System.Text.Json;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>--attention</c> and <c>--precise-attention</c>: what they select and say, and what is refused.</summary>
public sealed class AttentionArgumentsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("memory-efficient", "cpu/chunks", "requested; keys in chunks")]
    [InlineData("auto", "cpu/simd", "the first choice of those that the device supports; tiles with an online softmax in float32")]
    public async Task Generate_WithABackend_SaysWhatWasTakenAndWhy(string word, string kernel, string reason)
    {
        var result = await Run("generate", "a fox", "--model", TinySdxl.Folder, "-W", "48", "-H", "32", "-s", "1", "-o", "a.png", "--json",
            "--attention", word);
        Assert.True(result.ExitCode == 0, result.Errors);
        using var json = JsonDocument.Parse(result.Output);
        var choice = Assert.Single(json.RootElement.GetProperty("attention").EnumerateArray());
        Assert.Equal((word == "auto" ? "flash" : word, kernel, reason), (choice.GetProperty("backend").GetString(),
            choice.GetProperty("kernel").GetString(), choice.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Inspect_WithMath_ShowsTheKernelAndItsScratchMemory()
    {
        string[] arguments = ["inspect", TinySdxl.Folder, "--graph", "--size", "64x64", "--part", "decoder", "--attention", "math"];
        Assert.Contains("attention: math (cpu/math): requested; scores in full, by GEMMs in float32", (await Run(arguments)).OutputLines);
        using var json = JsonDocument.Parse((await Run([.. arguments, "--json"])).Output);
        var steps = json.RootElement.GetProperty("plans")[0].GetProperty("steps").EnumerateArray()
            .Where(s => s.GetProperty("op").GetString() == "attention").ToArray();
        Assert.NotEmpty(steps);
        Assert.All(steps, step => Assert.True(step.GetProperty("scratch_bytes").GetInt64() > 0));
    }

    [Theory]
    [InlineData(2, "--attention", "fast", "--attention: 'fast' must be auto, flash, memory-efficient or math")]
    [InlineData(2, "--precise-attention --attention", "math", "--precise-attention is given with --attention math, which is exact anyway.")]
    public async Task Generate_WithAChoiceThatMakesNoSense_IsRefused(int code, string option, string value, string message)
    {
        var result = await Run(["generate", "a fox", .. option.Split(' '), value]);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_OfMoreScoresThanMathTakes_NamesTheOtherBackends()
    {
        var result = await Run("inspect", TinySdxl.Folder, "--graph", "--size", "2048x2048", "--attention", "math");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("attention: math does not support heads of ", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Choose flash or memory-efficient, or auto.", result.Errors, StringComparison.Ordinal);
    }

    private Task<IlgdResult> Run(params string[] arguments) => Ilgd.Run(folder.Path, arguments);
}
