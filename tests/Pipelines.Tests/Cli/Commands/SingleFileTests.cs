using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Models in one file, and parts from elsewhere, through the tool.</summary>
public sealed class SingleFileTests : IDisposable
{
    private const string Recorded = "tiny-sdxl-single-file/tiny-sdxl.safetensors";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Devices => ["cpu", .. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public async Task Generate_RecordedFile_EqualsTheFolderToTheBit(string device)
    {
        if (device != "cpu") TestDevices.OpenForModels(device); // skips where there is none
        string file = Golden.Folder(Recorded), model = Golden.Folder("tiny-sdxl");
        string half = TinySdxl.CopyAs(PathOf("half"), DType.Float16, model); // stored as in the file
        await Run(Generate(half, device, "folder.png"));
        await Run([.. Generate(file, device, "file.png"), "--tokenizer", model, "--config", model]);
        Assert.Equal(Image.Load(PathOf("folder.png")).Pixels, Image.Load(PathOf("file.png")).Pixels);
    }

    [Fact]
    public async Task Vae_OfAFolder_IsTheOneThatDecodes()
    {
        string model = TinySdxl.CopyTo(PathOf("model"));
        TinySd.Rewrite(model, "vae", weights =>
            weights["decoder.conv_out.bias"] = (Shape.Create([3]),
                weights["decoder.conv_out.bias"].Values.Select(v => v + 0.5f).ToArray()));
        await Run(Generate(TinySdxl.Folder, "cpu", "own.png"));
        await Run(Generate(model, "cpu", "changed.png"));
        await Run([.. Generate(TinySdxl.Folder, "cpu", "other.png"), "--vae", Path.Combine(model, "vae")]);
        Assert.Equal(Image.Load(PathOf("changed.png")).Pixels, Image.Load(PathOf("other.png")).Pixels);
        Assert.NotEqual(Image.Load(PathOf("own.png")).Pixels, Image.Load(PathOf("other.png")).Pixels);
    }

    [Fact]
    public async Task Commands_OfAFile_WorkAsForTheFolder()
    {
        string file = Golden.Folder(Recorded), model = Golden.Folder("tiny-sdxl");
        string[] parts = ["--tokenizer", model, "--config", model];
        Assert.Equal((await Run(["tokenize", "a red cat", "--model", model])).Output,
            (await Run(["tokenize", "a red cat", "--model", file, .. parts])).Output);
        using (var json = JsonDocument.Parse((await Run(["inspect", file, "--graph", "--size", "64x64", "--json", .. parts])).Output))
        {
            Assert.Equal("StableDiffusionXLPipeline", json.RootElement.GetProperty("class").GetString());
            Assert.Equal(["denoiser", "decoder"],
                json.RootElement.GetProperty("plans").EnumerateArray().Select(plan => plan.GetProperty("name").GetString()));
        }

        using var tuned = JsonDocument.Parse(
            (await Run(["tune", "--model", file, .. parts, "--size", "32x32", "--seconds", "0.01", "--json"])).Output);
        Assert.True(tuned.RootElement.GetProperty("seconds").GetDouble() >= 0);
        using var bench = JsonDocument.Parse((await Run(["bench", "--model", file, .. parts, "--size", "32x32", "--steps", "1", "--runs",
            "1", "--rungs", "eager", "--json"])).Output);
        Assert.Equal("tiny-sdxl", bench.RootElement.GetProperty("model").GetString());
    }

    [Theory]
    [InlineData("--vae", "no-such-vae"), InlineData("--tokenizer", "no-such-folder"), InlineData("--config", "no-such-folder")]
    public async Task Generate_MissingPart_IsNamed(string option, string path)
    {
        string[] config = option == "--config" ? [] : ["--config", Golden.Folder("tiny-sdxl")];
        var result = await Ilgd.Run(folder.Path, [.. Generate(Golden.Folder(Recorded), "cpu", "a.png"), .. config, option, path]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(path, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_ConfigurationNotImplied_NamesTheOption()
    {
        // the small model's heads are narrower than those of any published one
        var result = await Ilgd.Run(folder.Path, Generate(Golden.Folder(Recorded), "cpu", "a.png"));
        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith("Here: --config DIR.", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private static string[] Generate(string model, string device, string output) =>
        ["generate", "a red fox", "--model", model, "--device", device, "--width", "48", "--height", "32", "--steps", "2", "--seed", "7",
            "-o", output];

    private async Task<IlgdResult> Run(string[] arguments)
    {
        var result = await Ilgd.Run(folder.Path, arguments);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result;
    }

    private string PathOf(string file) => Path.Combine(folder.Path, file);
}
