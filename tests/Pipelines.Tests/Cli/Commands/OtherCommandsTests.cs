using System.Text.Json;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Help, inspect, devices and tokenize.</summary>
public sealed class OtherCommandsTests : IDisposable
{
    private const int MostHelpLines = 84, MostHelpColumns = 120;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Ilgd_NoArguments_ShowsHelp()
    {
        var result = await Run();
        Assert.Equal(0, result.ExitCode);
        Assert.All((string[])["ilgd generate \"a red heart\"", "inspect", "devices", "tokenize"],
            word => Assert.Contains(word, result.Output, StringComparison.Ordinal));
        Assert.Empty(result.Errors);
    }

    [Fact]
    public async Task Help_OfGenerate_IsShortAndGrouped()
    {
        var result = await Run("generate", "--help");
        Assert.Equal(0, result.ExitCode);
        Assert.InRange(result.OutputLines.Length, 40, MostHelpLines);
        Assert.All(result.OutputLines, line => Assert.InRange(line.TrimEnd().Length, 1, MostHelpColumns));
        Assert.All((string[])["Image", "Sampling", "Model and device"], title => Assert.Contains(title, result.OutputLines));
        Assert.Contains(result.OutputLines, line => line.StartsWith("  -o, --output FILE.png", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Inspect_OfAModel_ListsComponents()
    {
        var text = await Run("inspect", TinySdxl.Folder);
        Assert.StartsWith("StableDiffusionXLPipeline", text.OutputLines[0], StringComparison.Ordinal);
        Assert.Contains(text.OutputLines,
            line => line.Contains("UNet2DConditionModel", StringComparison.Ordinal)
                && line.Contains("3.1 M parameters", StringComparison.Ordinal) && line.EndsWith("Float32", StringComparison.Ordinal));

        using var json = JsonDocument.Parse((await Run("inspect", TinySdxl.Folder, "--json")).Output);
        Assert.Equal("StableDiffusionXLPipeline", json.RootElement.GetProperty("class").GetString());
        var unet = json.RootElement.GetProperty("components").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "unet");
        Assert.Equal(unet.GetProperty("bytes").GetInt64(), 4 * unet.GetProperty("parameters").GetInt64());
        Assert.Equal(["Float32"], unet.GetProperty("types").EnumerateArray().Select(t => t.GetString()));
    }

    [Fact]
    public async Task Quantize_AModel_SavesReportsAndStartsWithoutQuantising()
    {
        var report = await Run("inspect", TinySdxl.Folder, "--quantize", "int8", "--report", "--quantize-filter", "*.attn1.*", "--json");
        using var json = JsonDocument.Parse(report.Output);
        var component = Assert.Single(json.RootElement.GetProperty("components").EnumerateArray());
        double[] decibels = [.. component.GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("output_decibels").GetDouble())];
        Assert.Equal(decibels.Order(), decibels);
        Assert.All(component.GetProperty("layers").EnumerateArray(), layer => Assert.Equal(
            layer.GetProperty("path").GetString()!.Contains(".attn1.", StringComparison.Ordinal),
            layer.GetProperty("selected").GetBoolean()));

        string target = Path.Combine(folder.Path, "int8");
        var written = await Run("quantize", TinySdxl.Folder, "-o", target, "--quantize-parts", "denoiser,vae");
        Assert.Equal(0, written.ExitCode);
        Assert.Equal(["unet", "vae"], written.OutputLines[1..].Select(line => line.Split(' ')[0]).Order());
        var drawn = await Run("generate", "a", "-m", target, "-s", "1", "-W", "32", "-H", "32", "-o", Path.Combine(folder.Path, "a.png"),
            "--json");
        using var result = JsonDocument.Parse(drawn.Output);
        Assert.Equal([0, 0], result.RootElement.GetProperty("quantized").EnumerateArray()
            .Select(c => c.GetProperty("quantized_layers").GetInt32()));
    }

    [Theory]
    [InlineData("'gide' is no filter", "--quantize", "int8", "--quantize-filter", "gide")]
    [InlineData("--quantize-filter is given, but nothing is quantised", "--quantize-filter", "all")]
    [InlineData("'unet' must be one or more", "--quantize", "int8", "--quantize-parts", "unet")]
    public async Task Generate_WrongQuantization_SaysWhatIsWrong(string message, params string[] arguments)
    {
        var result = await Run(["generate", "a", .. arguments]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_File_SaysWhatItIs()
    {
        using var folder = new TemporaryFolder();
        string model = OriginalFile.Write(Path.Combine(folder.Path, "model.safetensors"), TinySdxl.Folder,
            OriginalFile.Layout("Stable Diffusion XL base"), change: all => all["model_ema.decay"] = (Shape.Create([1]), [0]));
        var text = await Run("inspect", model);
        Assert.StartsWith("Stable Diffusion XL base", text.OutputLines[0], StringComparison.Ordinal);
        Assert.Equal("StableDiffusionXLPipeline, predicts epsilon", text.OutputLines[1]);
        Assert.Contains(text.OutputLines, line => line.StartsWith("vae", StringComparison.Ordinal)
            && line.Contains("block_out_channels [32,32,64,64]", StringComparison.Ordinal)
            && line.EndsWith("scaling_factor 0.13025", StringComparison.Ordinal));

        using var json = JsonDocument.Parse((await Run("inspect", model, "--json")).Output);
        Assert.Equal(["unet", "vae", "text_encoder", "text_encoder_2", "other"],
            json.RootElement.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        var vae = json.RootElement.GetProperty("components")[1];
        Assert.Equal(4, vae.GetProperty("config").GetProperty("latent_channels").GetInt32());
        Assert.Equal(2 * vae.GetProperty("parameters").GetInt64(), vae.GetProperty("bytes").GetInt64());

        var tokens = await Run("tokenize", "a red fox", "--model", model);
        Assert.Contains(tokens.OutputLines, line => line.Contains("320:a</w> 736:red</w> 3240:fox</w>", StringComparison.Ordinal));
        string lora = OriginalFile.Write(Path.Combine(folder.Path, "lora.safetensors"),
            new() { ["lora_unet_mid_block.lora_up.weight"] = (Shape.Create([4, 2]), new float[8]) });
        Assert.StartsWith("a LoRA or another adapter", (await Run("inspect", lora)).Output, StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(folder.Path, "old.ckpt"), [.. "PK\x03\x04"u8, .. new byte[60]]);
        var refused = await Ilgd.Run(folder.Path, "inspect", "old.ckpt");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("pickles are not read", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_Graph_NamesWhatWasCompiledByItself()
    {
        var result = await Run("inspect", TinySdxl.Folder, "--graph", "--size", "64x64", "--compile-scope", "blocks");
        Assert.Contains(result.OutputLines, line => line.StartsWith("compiled: default, blocks; recorded in ", StringComparison.Ordinal));
        Assert.Equal(2, result.OutputLines.Count(line => line.StartsWith("BasicTransformerBlock  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Inspect_Graph_ShowsPlans()
    {
        var sums = await Run("inspect", TinySdxl.Folder, "--graph", "--size", "64x64");
        Assert.StartsWith("computes in: ", sums.OutputLines[0], StringComparison.Ordinal);
        Assert.StartsWith("denoiser, 64 × 64 pixels, one image with guidance, on ", sums.OutputLines[1], StringComparison.Ordinal);
        Assert.Contains(sums.OutputLines, line => line.StartsWith("matmul+residual  ", StringComparison.Ordinal));
        Assert.Equal(2, sums.OutputLines.Count(line => line.StartsWith("without passes: ", StringComparison.Ordinal)));
        var steps = await Run("inspect", TinySdxl.Folder, "--graph", "--steps", "--size", "64x64");
        Assert.Contains(steps.OutputLines, line => Regex.IsMatch(line, @"attn2\.to_k +once +"));
    }

    [Fact]
    public async Task CacheClear_KernelsAndTuning_KeepsTuningAndSaysWhatItRemoved()
    {
        string cache = PathOf("cache"), kernels = Path.Combine(cache, "kernels"), tuning = Path.Combine(cache, "tuning");
        foreach (string name in (string[])[tuning, kernels]) Directory.CreateDirectory(name);
        foreach (string name in (string[])["a.kernel", "a.binary"]) File.WriteAllText(Path.Combine(kernels, name), "0123456789");
        foreach (string name in (string[])["cpu.json", "cpu.json.lock"]) File.WriteAllText(Path.Combine(tuning, name), "{}");
        var first = await Cache("clear");
        Assert.Equal([$"kernels: 2 file(s) removed, 20 B ({kernels})", "tuning: kept, 1 device(s); --tuning removes it too"],
            first.OutputLines);
        Assert.Empty(Directory.GetFiles(kernels));
        var second = await Cache("clear", "--tuning");
        Assert.Equal(["kernels: 0 file(s) removed, 0 B (" + kernels + ")", "tuning: 2 file(s) removed"], second.OutputLines);
        Assert.Empty(Directory.GetFiles(tuning));
        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Equal(["off (ILGPUDIFFUSION_CACHE)"],
            (await Ilgd.RunWith(new() { ["ILGPUDIFFUSION_CACHE"] = "off" }, folder.Path, "cache", "clear")).OutputLines);

        Task<IlgdResult> Cache(params string[] verb) =>
            Ilgd.RunWith(new() { ["ILGPUDIFFUSION_CACHE"] = cache }, folder.Path, ["cache", .. verb]);
    }

    [Fact]
    public async Task Devices_OnAnyMachine_ListsTheProcessor()
    {
        using var json = JsonDocument.Parse((await Run("devices", "--json")).Output);
        var cpu = json.RootElement.EnumerateArray().Single(d => d.GetProperty("id").GetString() == "cpu");
        Assert.Equal(1, json.RootElement.EnumerateArray().Count(d => d.GetProperty("auto").GetBoolean()));
        Assert.True(cpu.GetProperty("threads").GetInt32() >= 1 && cpu.GetProperty("memory_bytes").GetInt64() > 0);
        Assert.Contains((await Run("devices")).OutputLines, line => line.StartsWith("cpu  ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tokenize_ModelWithTwoTokenizers_ShowsBoth()
    {
        using var json = JsonDocument.Parse((await Run("tokenize", "a red cat", "--model", TinySdxl.Folder, "--json")).Output);
        foreach (string name in (string[])["tokenizer", "tokenizer_2"])
        {
            var tokens = json.RootElement.GetProperty(name);
            Assert.Equal(77, tokens.GetProperty("ids").GetArrayLength());
            Assert.Equal(tokens.GetProperty("count").GetInt32(), tokens.GetProperty("pieces").GetArrayLength());
            Assert.Equal("red</w>", tokens.GetProperty("pieces")[2].GetString());
            Assert.Equal(JsonValueKind.Null, tokens.GetProperty("cut").ValueKind);
        }

        var text = await Run("tokenize", "a red cat", "--model", TinySdxl.Folder);
        Assert.Contains(":red</w>", text.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512, 512, 200, 60, 64), InlineData(512, 512, 40, 60, 39), InlineData(512, 512, 200, 23, 40),
        InlineData(32, 32, 200, 60, 32), InlineData(512, 64, 10, 3, 9), InlineData(64, 4096, 80, 24, 1)]
    public void Preview_AnyImageSize_FitsTheTerminal(int width, int height, int columns, int lines, int expected) =>
        Assert.Equal(expected, Preview.Columns(new Image(width, height, new byte[width * height * 3]), columns, lines));

    private string PathOf(string name) => Path.Combine(folder.Path, name);

    private Task<IlgdResult> Run(params string[] arguments) => Ilgd.Run(folder.Path, arguments);
}
