using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd generate --refiner</c>: two models in one run.</summary>
public sealed class RefinerTests : IDisposable
{
    private const double Tolerance = 2e-4; // of rms, as for whole runs
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Devices => ["cpu", .. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public async Task Refiner_RecordedRuns_MatchesDiffusers(string device)
    {
        if (device != "cpu") TestDevices.OpenForModels(device); // skips where there is none
        var begun = Golden.Open("tiny-sdxl-goldens/txt2img_features")["denoising_end_0.7"];
        var ended = Golden.Open("tiny-sdxl-refiner-goldens/refiner")["refine_latents_from_0.7"];
        var writer = new SafetensorsWriter();
        writer.Add("latents", DType.Float32, begun.InputShape("latents"), begun.Input("latents"));
        writer.Save(PathOf("noise.safetensors"));
        var result = await Ilgd.Run(folder.Path, "generate", begun.Params.GetProperty("prompt").GetString()!, "-n",
            begun.Params.GetProperty("negative_prompt").GetString()!, "--model", Golden.Folder("tiny-sdxl"), "--refiner",
            Golden.Folder("tiny-sdxl-refiner"), "--steps", "10", "--guidance-scale", "5", "--denoising-end", "0.7", "--latents",
            "noise.safetensors", "--save-intermediates", "steps.safetensors", "-o", "a.png", "--seed", "1", "--json", "--device",
            device, "--dtype", "fp32");
        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.All((string[])["tiny-sdxl on ", "denoise 7/7", "tiny-sdxl-refiner on ", "denoise 3/3"],
            text => Assert.Contains(result.ErrorLines, line => line.StartsWith(text, StringComparison.Ordinal)));
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(["tiny-sdxl", "tiny-sdxl-refiner"],
            json.RootElement.GetProperty("models").EnumerateArray().Select(m => m.GetString()));
        Assert.Equal(10, json.RootElement.GetProperty("evaluations").GetInt32());
        Assert.Equal(["EncodePrompt", "Denoise", "EncodePrompt", "Denoise", "Decode"],
            json.RootElement.GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("stage").GetString()));

        using var steps = SafetensorsFile.Open(PathOf("steps.safetensors"));
        string[] names = [.. steps.Entries.Keys.Order(StringComparer.Ordinal)];
        begun.Check("latents_steps", [.. names[..7].SelectMany(steps.ReadFloats)], Tolerance);
        ended.Check("latents_steps", [.. names[7..].SelectMany(steps.ReadFloats)], Tolerance);
    }

    [Fact]
    public async Task From_RefinedImage_NamesBothModelsAndDrawsItAgain()
    {
        string refiner = Golden.Folder("tiny-sdxl-refiner");
        var first = await Generate("a red fox", "--refiner", refiner, "--width", "48", "--height", "32", "--steps", "5", "--count", "2",
            "--scheduler", "euler_a", "--aesthetic-score", "7", "--negative-aesthetic-score", "2", "--original-size", "64x64",
            "-o", "a.png");
        Assert.Equal(["a-1.png", "a-2.png"], first.OutputLines);
        var metadata = GenerationMetadata.Read(PathOf("a-2.png"));
        Assert.Equal(("tiny-sdxl", "tiny-sdxl-refiner"), (metadata.Model, metadata.Refiner));
        Assert.Equal((0.8, null, 7, 5), (metadata.Request.DenoisingEnd, metadata.Request.DenoisingStart, metadata.Request.AestheticScore,
            metadata.Evaluations));
        Assert.False(metadata.ExternalLatents);
        Assert.Contains("Model: tiny-sdxl, ", Image.Load(PathOf("a-2.png")).Parameters, StringComparison.Ordinal);
        Assert.Contains("Refiner: tiny-sdxl-refiner, Refiner switch at: 0.8", Image.Load(PathOf("a-2.png")).Parameters,
            StringComparison.Ordinal);

        Check(await Ilgd.Run(folder.Path, "generate", "--from", "a-2.png", "--model", Golden.Folder("tiny-sdxl")), 2,
            "--refiner is missing: 'a-2.png' was ended by the refiner 'tiny-sdxl-refiner'");
        var again = await Generate("--from", "a-2.png", "--refiner", refiner, "-o", "b.png");
        Assert.DoesNotContain(again.ErrorLines, line => line.StartsWith("warning", StringComparison.Ordinal));
        Assert.Equal(File.ReadAllBytes(PathOf("a-2.png")), File.ReadAllBytes(PathOf("b.png")));
    }

    [Fact]
    public async Task Refiner_SeveralPrompts_DrawsEachAsAlone()
    {
        string refiner = Golden.Folder("tiny-sdxl-refiner");
        string[] run = ["--refiner", refiner, "--width", "32", "--height", "32", "--steps", "4", "--seed", "3"];
        File.WriteAllLines(PathOf("prompts.txt"), ["a fox", "the cat"]);
        await Generate([.. run, "--prompts", "prompts.txt", "-o", "all.png"]);
        await Generate([.. run, "the cat", "-o", "alone.png"]);
        Assert.Equal(File.ReadAllBytes(PathOf("alone.png")), File.ReadAllBytes(PathOf("all-2.png")));
    }

    [Fact]
    public async Task Refiner_InitImage_IsBegunByTheFirstModel()
    {
        TestImages.Gradient(32, 32).Save(PathOf("init.png"));
        var result = await Generate("a fox", "--init-image", "init.png", "--strength", "0.5", "--steps", "10", "--seed", "3", "--refiner",
            Golden.Folder("tiny-sdxl-refiner"), "-o", "a.png");
        Assert.All((string[])["denoise 3/3", "denoise 2/2"], // from step 5 to 8, and to 10
            text => Assert.Contains(result.ErrorLines, line => line.StartsWith(text, StringComparison.Ordinal)));
        Assert.True(GenerationMetadata.Read(PathOf("a.png")).ExternalImage);
    }

    [Fact]
    public async Task Refiner_OtherVae_IsTheOneThatDecodes()
    {
        string[] run = ["a fox", "--width", "32", "--height", "32", "--steps", "5", "--seed", "3", "--refiner",
            Golden.Folder("tiny-sdxl-refiner"), "--save-latents"];
        string vae = Path.Combine(Golden.Folder("tiny-sd15"), "vae");
        await Generate([.. run, "own.safetensors", "-o", "own.png"]);
        await Generate([.. run, "other.safetensors", "-o", "other.png", "--vae", vae]);
        Assert.Equal(File.ReadAllBytes(PathOf("own.safetensors")), File.ReadAllBytes(PathOf("other.safetensors")));
        Assert.NotEqual(Image.Load(PathOf("own.png")).Pixels, Image.Load(PathOf("other.png")).Pixels);
    }

    [Fact]
    public async Task Refiner_OfAnotherFamily_IsRefusedBeforeDrawing()
    {
        var result = await Ilgd.Run(folder.Path, "generate", "a fox", "--model", TinySdxl.Folder, "--refiner", Golden.Folder("tiny-sd15"),
            "--width", "32", "--height", "32");
        Check(result, 2, "tiny-sd15 is a Stable Diffusion model");
        Assert.DoesNotContain("denoise", result.Errors, StringComparison.Ordinal);
    }

    private async Task<IlgdResult> Generate(params string[] options)
    {
        var result = await Ilgd.Run(folder.Path, ["generate", .. options, "--model", Golden.Folder("tiny-sdxl"), "--device", "cpu"]);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result;
    }

    private static void Check(IlgdResult result, int exitCode, string message)
    {
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Errors}");
        Assert.Contains(message, result.ErrorLines[0], StringComparison.Ordinal);
        Assert.InRange(result.ErrorLines.Length, 1, 2);
        Assert.Empty(result.Output);
    }

    private string PathOf(string file) => Path.Combine(folder.Path, file);
}
