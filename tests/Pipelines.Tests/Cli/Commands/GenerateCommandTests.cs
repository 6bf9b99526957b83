using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd generate</c> as scripts rely on it: files, streams, JSON.</summary>
public sealed class GenerateCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Generate_SameSeed_GivesTheSameFileWithItsParameters()
    {
        var first = await Generate("-o", "a.png", "--seed", "5", "--negative-prompt", "blurry, grey", "--guidance-scale", "4.5");
        var second = await Generate("--output", "b.png", "--seed", "5", "--negative-prompt", "blurry, grey", "--guidance-scale", "4.5");
        Assert.Equal(["a.png"], first.OutputLines); // stdout has only the file's name
        Assert.Equal(["b.png"], second.OutputLines);
        Assert.Contains(first.ErrorLines, line => line.StartsWith("denoise 2/2", StringComparison.Ordinal));
        Assert.Equal(Bytes("a.png"), Bytes("b.png"));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length); // no temporary file remains

        var image = Image.Load(PathOf("a.png"));
        Assert.Equal((48, 32), (image.Width, image.Height));
        string model = Path.GetFileName(TinySdxl.Folder);
        Assert.Equal($"a red fox\nNegative prompt: blurry, grey\nSteps: 2, Sampler: Euler, CFG scale: 4.5, Seed: 5, Size: 48x32, Model: " +
            $"{model}, RNG: CPU, Version: ILGpuDiffusion 0.1.0", image.Parameters);
    }

    [Fact]
    public async Task Generate_WithCount_NumbersTheFilesAndADrawnSeedCanBeReused()
    {
        var several = await Generate("-o", "fox.png", "--count", "3", "--json");
        using var json = JsonDocument.Parse(several.Output);
        Assert.Equal(["fox-1.png", "fox-2.png", "fox-3.png"],
            json.RootElement.GetProperty("files").EnumerateArray().Select(f => f.GetString()));
        string seed = json.RootElement.GetProperty("seed").GetRawText();
        Assert.Contains($"seed {seed}", several.ErrorLines);
        Assert.Equal([.. Enumerable.Range(0, 3).Select(i => json.RootElement.GetProperty("seed").GetUInt64() + (ulong)i)],
            json.RootElement.GetProperty("seeds").EnumerateArray().Select(s => s.GetUInt64()));
        Assert.Contains($"Seed: {json.RootElement.GetProperty("seeds")[1].GetRawText()}, ", Image.Load(PathOf("fox-2.png")).Parameters,
            StringComparison.Ordinal);

        var again = await Generate("--count", "3", "--seed", seed);
        string[] named = [.. json.RootElement.GetProperty("seeds").EnumerateArray().Select(s => $"a-red-fox-{s.GetRawText()}.png")];
        Assert.Equal(named, again.OutputLines);
        Assert.All(named.Zip(["fox-1.png", "fox-2.png", "fox-3.png"]), pair => Assert.Equal(Bytes(pair.Second), Bytes(pair.First)));
        Assert.NotEqual(Image.Load(PathOf("fox-1.png")).Pixels, Image.Load(PathOf("fox-2.png")).Pixels);
    }

    [Fact]
    public async Task Generate_WithJson_WritesNothingElseToStdout()
    {
        var result = await Generate("-o", "a.png", "--seed", "1", "--json", "--scheduler", "dpmpp_2m_karras", "--threads", "1");
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.Equal((1, 48, 32, 2),
            (root.GetProperty("seed").GetInt32(), root.GetProperty("width").GetInt32(), root.GetProperty("height").GetInt32(),
                root.GetProperty("steps").GetInt32()));
        Assert.Equal("DPMSolverMultistepScheduler", root.GetProperty("scheduler").GetString());
        Assert.Equal("cpu", root.GetProperty("device").GetProperty("id").GetString());
        Assert.Equal(0, root.GetProperty("host_synchronisations_in_loop").GetInt32());
        Assert.True(root.GetProperty("kernels").GetInt32() > 0);
        Assert.Empty(root.GetProperty("warnings").EnumerateArray());
        var stages = root.GetProperty("stages").EnumerateArray().ToArray();
        Assert.Equal(["EncodePrompt", "Denoise", "Decode"], stages.Select(s => s.GetProperty("stage").GetString()));
        Assert.All(stages, s => Assert.True(s.GetProperty("seconds").GetDouble() > 0 && s.GetProperty("peak_bytes").GetInt64() > 0));
        Assert.True(stages[1].GetProperty("compile_seconds").GetDouble() > 0 && stages[1].GetProperty("arena_bytes").GetInt64() > 0
            && stages[1].GetProperty("launches").GetInt32() > 0);
    }

    [Theory]
    [InlineData("none", null, 0, 0), InlineData("default", "blocks", 2, 17), InlineData("reduce-overhead", "regions", -1, -1),
        InlineData("max-autotune", null, 0, 0)]
    public async Task Compile_AnyWay_GivesTheSameImageAndSaysWhatItDid(string mode, string? scope, int blocks, int occurrences)
    {
        string[] how = ["--compile", mode, .. scope is null ? Array.Empty<string>() : ["--compile-scope", scope],
            .. mode == "none" ? ["--fuse-qkv"] : Array.Empty<string>()];
        await Generate("-o", "plain.png", "--seed", "4");
        var result = await Generate(["-o", "compiled.png", "--seed", "4", "--json", .. how]);
        Assert.Equal(Image.Load(PathOf("plain.png")).Pixels, Image.Load(PathOf("compiled.png")).Pixels);
        using var json = JsonDocument.Parse(result.Output);
        var compile = json.RootElement.GetProperty("compile");
        Assert.True(compile.GetProperty("seconds").GetDouble() > 0 && compile.GetProperty("plans").GetInt32() >= 4
            && compile.GetProperty("distinct_regions").GetInt32() >= 4);
        var unet = compile.GetProperty("graphs").EnumerateArray().Single(g => g.GetProperty("name").GetString() == "unet");
        Assert.Equal(scope ?? "full", unet.GetProperty("scope").GetString());
        Assert.True(unet.GetProperty("kernels").GetInt32() > 10);
        var inUNet = unet.GetProperty("regions").EnumerateArray().Where(r => r.GetProperty("path").ValueKind == JsonValueKind.String)
            .ToArray();
        if (blocks >= 0) Assert.Equal((blocks, occurrences), (inUNet.Length, inUNet.Sum(r => r.GetProperty("occurrences").GetInt32())));
        else Assert.NotEmpty(inUNet);
        Assert.Equal(mode is "reduce-overhead" or "max-autotune",
            result.Errors.Contains("cpu cannot record launches as a graph", StringComparison.Ordinal));
        Assert.Equal(0, json.RootElement.GetProperty("host_synchronisations_in_loop").GetInt32());
    }

    [Fact]
    public async Task Compile_ScopeForNothing_IsRefused()
    {
        var result = await Run("generate", "a fox", "--compile", "none", "--compile-scope", "blocks");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--compile-scope is 'blocks'", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_SavedNoise_GivesTheSameImageAndLatents()
    {
        var writer = new SafetensorsWriter();
        var noise = new float[4 * 4 * 6];
        new TorchGenerator(5).Fill(noise);
        writer.Add("latents", DType.Float32, [1, 4, 4, 6], noise);
        writer.Save(PathOf("noise.safetensors"));

        await Generate("-o", "seed.png", "--seed", "5", "--save-latents", "seed.safetensors", "--save-intermediates", "steps.safetensors");
        await Generate("-o", "noise.png", "--seed", "99", "--latents", "noise.safetensors", "--save-latents", "again.safetensors");
        Assert.Equal(Image.Load(PathOf("seed.png")).Pixels, Image.Load(PathOf("noise.png")).Pixels); // the same noise, generated or loaded
        Assert.Equal(Latents("seed.safetensors"), Latents("again.safetensors"));

        using var steps = SafetensorsFile.Open(PathOf("steps.safetensors"));
        Assert.Equal(["step_000", "step_001"], steps.Entries.Keys.Order());
        Assert.Equal("[1, 4, 4, 6]", steps.Entries["step_000"].Shape.ToString());
        Assert.Equal(Latents("seed.safetensors"), steps.ReadFloats("step_001"));
    }

    [Fact]
    public async Task Generate_RunInTwoParts_EndsLikeAWholeRun()
    {
        string[] run = ["--steps", "10", "--seed", "3"];
        await Generate([.. run, "-o", "whole.png", "--save-latents", "whole.safetensors"]);
        var first = await Generate([.. run, "-o", "part.png", "--denoising-end", "0.7", "--save-latents", "part.safetensors"]);
        var second = await Generate(
            [.. run, "-o", "end.png", "--denoising-start", "0.7", "--latents", "part.safetensors", "--save-latents", "end.safetensors"]);
        Assert.Contains(first.ErrorLines, line => line.StartsWith("denoise 7/7", StringComparison.Ordinal));
        Assert.Contains(second.ErrorLines, line => line.StartsWith("denoise 3/3", StringComparison.Ordinal));
        Close.Check("latents", Latents("end.safetensors"), Latents("whole.safetensors"), 1e-6);
    }

    [Fact]
    public async Task Generate_LongPrompt_WarnsWithWhatIsCut()
    {
        string prompt = string.Join(' ', Enumerable.Repeat("cat", 80)) + " waterfall";
        var result = await Run("generate", prompt, "--model", TinySdxl.Folder, "--width", "32", "--height", "32", "--steps", "1", "-o",
            "a.png");
        Assert.Equal(0, result.ExitCode);
        string warning = Assert.Single(result.ErrorLines, line => line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.Contains("reads 77", warning, StringComparison.Ordinal);
        Assert.Contains("waterfall\"", warning.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(["a.png"], result.OutputLines);
    }

    [Fact]
    public async Task Generate_EveryOption_IsAccepted()
    {
        var result = await Generate("-o", "a.png", "--seed", "-3", "--prompt-2", "the cat", "--negative-prompt-2", "dog", "--clip-skip",
            "1", "--guidance-rescale", "0.5", "--device", "cpu", "--dtype", "fp32",
            "--scheduler", "DDIMScheduler", "--scheduler-config", "timestep_spacing=trailing,clip_sample=false", "--eta", "0.5",
                "--vae-tiling", "--original-size", "64x48", "--target-size", "48x32", "--crop-top-left", "1,2",
            "--negative-original-size", "32x32", "--negative-target-size", "32x32", "--negative-crop-top-left", "0,0");
        var plain = await Generate("-o", "b.png", "--seed", "-3");
        Assert.NotEqual(Image.Load(PathOf("a.png")).Pixels, Image.Load(PathOf("b.png")).Pixels);
        var sigmas = await Run("generate", "@fox", "--model", TinySdxl.Folder, "--width", "32", "--height", "32", "-o", "c.png", "--sigmas",
            "10,2,0.5");
        // the last level is where the run ends
        Assert.Contains(sigmas.ErrorLines, line => line.StartsWith("denoise 2/2", StringComparison.Ordinal));
        var timesteps = await Run("generate", "a fox", "--model", TinySdxl.Folder, "--width", "32", "--height", "32", "-o", "d.png",
            "--timesteps", "900,400", "--scheduler", "ddim");
        Assert.Contains("DDIMScheduler", timesteps.Errors, StringComparison.Ordinal); // DDIM supports no custom timesteps
        Assert.Equal(2, timesteps.ExitCode);
        Assert.Equal(0, result.ExitCode + plain.ExitCode);
    }

    private async Task<IlgdResult> Generate(params string[] options)
    {
        string[] steps = options.Contains("--steps") ? [] : ["--steps", "2"];
        var result = await Run(["generate", "a red fox", "--model", TinySdxl.Folder, "--width", "48", "--height", "32", .. steps,
            .. options]);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result;
    }

    private Task<IlgdResult> Run(params string[] arguments) => Ilgd.Run(folder.Path, arguments);

    private string PathOf(string file) => Path.Combine(folder.Path, file);

    private byte[] Bytes(string file) => File.ReadAllBytes(PathOf(file));

    private float[] Latents(string name)
    {
        using var file = SafetensorsFile.Open(PathOf(name));
        return file.ReadFloats("latents");
    }
}
