using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd generate --from</c> and <c>ilgd inspect</c> with images.</summary>
public sealed class ImageOriginTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task From_SavedImage_DrawsTheSameBytes()
    {
        await Run("generate", "a red fox", "--model", TinySdxl.Folder, "--width", "48", "--height", "32", "--steps", "4", "--seed", "-2",
            "--count", "2", "-o", "a.png", "--negative-prompt", "grey",
            "--scheduler", "dpmpp_2m_sde", "--scheduler-config", "use_karras_sigmas=true", "--clip-skip", "1", "--guidance-rescale", "0.5",
                "--quantize", "int8", "--vae-tiling", "--target-size", "40x24", "--device", "cpu");
        var again = await Run("generate", "--from", "a-1.png", "--model", TinySdxl.Folder, "-o", "b.png", "--device", "cpu");
        Assert.Equal(["b.png"], again.OutputLines);
        Assert.DoesNotContain(again.ErrorLines, line => line.StartsWith("warning", StringComparison.Ordinal));
        await Run("generate", "--from", "b.png", "--model", TinySdxl.Folder, "-o", "c.png", "--device", "cpu");
        Assert.Equal(Bytes("b.png"), Bytes("c.png"));
        Assert.Equal(Image.Load(PathOf("a-1.png")).RequestJson, Image.Load(PathOf("b.png")).RequestJson);
        Assert.Contains("\"seed\":18446744073709551614", Image.Load(PathOf("b.png")).RequestJson, StringComparison.Ordinal);
        Assert.Equal(Bytes("a-1.png"), Bytes("b.png"));
    }

    [Theory, InlineData("jpg"), InlineData("webp")]
    public async Task From_OtherFormats_DrawsWhatTheyWereMadeOf(string extension)
    {
        string[] run = ["generate", "a fox, Süß", "--model", TinySdxl.Folder, "--width", "48", "--height", "32", "--steps", "2", "--seed",
            "7", "--count", "2", "--clip-skip", "1", "--device", "cpu"];
        Assert.Equal([$"a-1.{extension}", $"a-2.{extension}"], (await Run([.. run, "-o", $"a.{extension}"])).OutputLines);
        await Run([.. run, "-o", "a.png"]);
        Assert.Equal(Image.Load(PathOf("a-2.png")).RequestJson, Image.Load(PathOf($"a-2.{extension}")).RequestJson);
        Assert.Equal(Image.Load(PathOf("a-2.png")).Parameters, Image.Load(PathOf($"a-2.{extension}")).Parameters);
        Assert.StartsWith($"a-2.{extension}  48x32", (await Run("inspect", $"a-2.{extension}")).OutputLines[0], StringComparison.Ordinal);
        await Run("generate", "--from", $"a-2.{extension}", "--model", TinySdxl.Folder, "-o", "b.png", "--device", "cpu");
        Assert.Equal(Bytes("a-2.png"), Bytes("b.png"));
    }

    [Fact]
    public async Task From_ImageOfAVariant_TakesItWhereTheModelHasIt()
    {
        string model = TinySdxl.CopyTo(PathOf("model")), weights = Path.Combine(model, "vae", "diffusion_pytorch_model");
        File.Move($"{weights}.safetensors", $"{weights}.fp16.safetensors");
        await Run("generate", "a red fox", "--model", model, "--width", "32", "--height", "32", "--steps", "1", "-o", "a.png", "--variant",
            "fp16");
        Assert.Contains("\"variant\":\"fp16\"", Image.Load(PathOf("a.png")).RequestJson, StringComparison.Ordinal);
        await Run("generate", "--from", "a.png", "--model", model, "-o", "b.png");
        Assert.Equal(Bytes("a.png"), Bytes("b.png"));
        Assert.Contains("variant was 'fp16' and is 'none'",
            (await Run("generate", "--from", "a.png", "--model", TinySdxl.Folder, "-o", "c.png")).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_OtherOptions_ReplaceThoseOfTheImage()
    {
        await Run("generate", "a red fox", "--model", TinySdxl.Folder, "--width", "48", "--height", "32", "--sigmas", "9,3,0", "--seed",
            "5", "-o", "a.png");
        await Run("generate", "the cat", "--from", "a.png", "--model", TinySdxl.Folder, "-o", "b.png", "--steps", "3", "--scheduler",
            "ddim", "--width", "32");
        string json = Image.Load(PathOf("b.png")).RequestJson!;
        Assert.All((string[])["\"prompt\":\"the cat\"", "\"steps\":3", "\"scheduler\":\"DDIMScheduler\"", "\"width\":32", "\"height\":32",
            "\"seed\":5"], part => Assert.Contains(part, json, StringComparison.Ordinal));
        Assert.DoesNotContain("sigmas\":[", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_ForeignImage_SaysWhatDoesNotMap()
    {
        new Image(8, 8, new byte[192])
        {
            Parameters = "a red fox\nSteps: 3, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 4, Seed: 11, Size: 48x32, Model: " +
            "other\u001b[31m, Hires upscale: 2, RNG: CPU"
        }.Save(PathOf("f.png"));
        var result = await Run("generate", "--from", "f.png", "--model", TinySdxl.Folder, "-o", "a.png");
        Assert.Contains(result.ErrorLines, line => line.Contains("Hires upscale: 2", StringComparison.Ordinal));
        Assert.Contains(result.ErrorLines,
            line => line.Contains("model was 'other\\u001b[31m' and is 'tiny-sdxl'", StringComparison.Ordinal)
            || line.Contains("model was 'other\\u001b[31m'", StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', result.Errors);
        Assert.Contains("Steps: 3, Sampler: DPM++ 2M Karras, CFG scale: 4, Seed: 11, Size: 48x32", Image.Load(PathOf("a.png")).Parameters,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_OfAnImage_ShowsHowItWasDrawn()
    {
        await Run("generate", "a red fox", "--model", TinySdxl.Folder, "--width", "48", "--height", "32", "--steps", "2", "--seed", "5",
            "-o", "a.png", "--scheduler", "euler_karras");
        var text = await Run("inspect", "a.png");
        Assert.StartsWith("a.png  48x32", text.OutputLines[0], StringComparison.Ordinal);
        Assert.Contains(text.OutputLines, line => line.Contains("prompt", StringComparison.Ordinal)
            && line.EndsWith("a red fox", StringComparison.Ordinal));
        Assert.Contains(text.OutputLines, line => line.Contains("scheduler config", StringComparison.Ordinal)
            && line.Contains("use_karras_sigmas=True", StringComparison.Ordinal));
        using var json = JsonDocument.Parse((await Run("inspect", "a.png", "--json")).Output);
        Assert.Equal(5, json.RootElement.GetProperty("request").GetProperty("seed").GetInt32());
        Assert.StartsWith("a red fox\nSteps: 2, Sampler: Euler Karras, ", json.RootElement.GetProperty("parameters").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task DefaultNames_OfExistingFiles_AreNotOverwritten()
    {
        string[] arguments = ["generate", "ein Füchslein", "--model", TinySdxl.Folder, "--width", "32", "--height", "32", "--steps", "1",
            "--seed", "5"];
        Assert.Equal(["ein-füchslein-5.png", "ein-füchslein-6.png"], (await Run([.. arguments, "--count", "2"])).OutputLines);
        byte[] first = Bytes("ein-füchslein-5.png");
        Assert.Equal(["ein-füchslein-5-2.png"], (await Run(arguments)).OutputLines);
        Assert.Equal(first, Bytes("ein-füchslein-5.png"));
    }

    private async Task<IlgdResult> Run(params string[] arguments)
    {
        var result = await Ilgd.Run(folder.Path, arguments);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result;
    }

    private string PathOf(string file) => Path.Combine(folder.Path, file);

    private byte[] Bytes(string file) => File.ReadAllBytes(PathOf(file));
}
