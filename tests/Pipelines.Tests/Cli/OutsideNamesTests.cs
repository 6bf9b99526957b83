using System.Text.Json;
using System.Xml.Linq;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Names from files are bounded and escaped in terminal, logs and SVG; JSON keeps them exactly.</summary>
public sealed class OutsideNamesTests : IDisposable
{
    private const string Evil = "evil\u001b[31m\u202egnp\nilgd: done";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A file of the model, the text that is replaced in it, and a command that reads it.</summary>
    [Theory]
    [InlineData("model_index.json", "StableDiffusionXLPipeline", "generate")]
    [InlineData("scheduler/scheduler_config.json", "EulerDiscreteScheduler", "generate")]
    [InlineData("model_index.json", "UNet2DConditionModel", "generate")]
    [InlineData("unet/config.json", "CrossAttnDownBlock2D", "generate"), InlineData("vae/config.json", "DownEncoderBlock2D", "generate")]
    [InlineData("tokenizer/tokenizer_config.json", "<|endoftext|>", "generate")]
    [InlineData("model_index.json", "CLIPTokenizer", "tokenize")]
    [InlineData("model_index.json", "UNet2DConditionModel", "inspect")]
    [InlineData("model_index.json", "StableDiffusionXLPipeline", "inspect")]
    public async Task Name_FromAModelFile_IsEscapedAndBounded(string file, string found, string command)
    {
        foreach (string name in (string[])[Evil, new string('x', 1 << 20)])
        {
            string model = TinySdxl.CopyTo(Path.Combine(folder.Path, $"m{name.Length}")), path = Path.Combine(model, file);
            string text = File.ReadAllText(path);
            Assert.Contains(found, text, StringComparison.Ordinal);
            File.Delete(path);
            File.WriteAllText(path, text.Replace(found, JsonSerializer.Serialize(name)[1..^1], StringComparison.Ordinal));
            string[] arguments = command == "generate" ? ["generate", "a fox", "--model", model, "-W", "32", "-H", "32", "-s", "1"]
                : command == "inspect" ? ["inspect", model] : ["tokenize", "a fox", "--model", model];
            CheckVisible(await Ilgd.Run(folder.Path, arguments));
        }
    }

    [Fact]
    public async Task Arguments_WithControlCharacters_AreShownEscaped()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("File names of Windows have no control characters.");
        string path = Path.Combine(folder.Path, Evil);
        CheckVisible(await Ilgd.Run(folder.Path, "inspect", path));
        CheckVisible(await Ilgd.Run(folder.Path, "generate", "a fox", "--latents", path));
        CheckVisible(await Ilgd.Run(folder.Path, "generate", "a fox", "--steps", Evil));
        CheckVisible(await Ilgd.Run(folder.Path, "generate", "a fox", Evil));
        CheckVisible(await Ilgd.Run(folder.Path, "generate", "a fox", $"--{Evil}"));
        File.WriteAllText(path, "a fox \e[31m\u202e\nanother\n");
        CheckVisible(await Ilgd.Run(folder.Path, "generate", "--prompts", path, "-W", "32", "-H", "32", "-s", "1"));
    }

    [Fact]
    public async Task Json_NameWithControls_IsKeptExactlyWithoutRawControls()
    {
        string model = TinySdxl.CopyTo(Path.Combine(folder.Path, "model")), path = Path.Combine(model, "model_index.json"),
            text = File.ReadAllText(path);
        File.Delete(path);
        File.WriteAllText(path, text.Replace("\"EulerDiscreteScheduler\"", JsonSerializer.Serialize(Evil), StringComparison.Ordinal));
        var result = await Ilgd.Run(folder.Path, "inspect", model, "--json");
        CheckVisible(result);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(Evil, json.RootElement.GetProperty("components").EnumerateArray()
            .Single(c => c.GetProperty("name").GetString() == "scheduler").GetProperty("class").GetString());
    }

    [Fact]
    public void Svg_NameWithControls_StaysXmlWithoutThem()
    {
        string text = Svg.Escape(Evil + "<&\"" + new string('x', 1 << 20));
        CheckVisible(new IlgdResult(0, text, ""));
        var parsed = XElement.Parse($"<title>{text}</title>");
        Assert.StartsWith("evil\\u001b[31m\\u202egnp\nilgd: done<&\"xxx", parsed.Value, StringComparison.Ordinal);
        Assert.InRange(text.Length, 400, 1000);
        Assert.Equal("one\ntwo", Svg.Escape("one\ntwo")); // titles have lines
    }

    private static void CheckVisible(IlgdResult result)
    {
        string all = result.Output + result.Errors;
        Assert.InRange(all.Length, 1, 10_000);
        Assert.DoesNotContain(all, c => (char.IsControl(c) && c is not '\n' and not '\t')
            || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format);
        Assert.DoesNotContain(result.ErrorLines, line => line.StartsWith("ilgd: done", StringComparison.Ordinal));
        Assert.DoesNotContain("internal error", all, StringComparison.Ordinal);
    }
}
