using System.Diagnostics;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Exit codes and messages of errors: one or two lines on stderr that name the value, nothing on stdout, no file.
/// </summary>
public sealed class FailureTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Options of generate, exit code, and what the message must name.</summary>
    public static TheoryData<string, int, string> Wrong => new()
    {
        { "--steps zero", 2, "--steps: 'zero' must be a whole number above 0" },
        { "--count 2147483647 -o a.png", 2, "count is 2147483647; it must be between 1 and 1024" },
        { "--steps 0", 2, "--steps: '0'" },
        { "--guidance-scale strong", 2, "--guidance-scale: 'strong' must be a number" },
        { "--seed 1.5", 2, "--seed: '1.5' must be a whole number from -9223372036854775808 to 18446744073709551615" },
        { "--seed 18446744073709551616", 2, "--seed: '18446744073709551616'" },
        { "--clip-skip -1", 2, "--clip-skip: '-1' must be a whole number, 0 or above" },
        { "--original-size 64", 2, "--original-size: '64' must be width x height" },
        { "--sigmas 1;2", 2, "--sigmas: '1;2' must be numbers between commas" },
        { "--scheduler-config beta", 2, "--scheduler-config: 'beta' must be key=value" },
        { "--colour red", 2, "--colour" },
        { "--width", 2, "--width" },
        { "--dtype float", 2, "--dtype: 'float' must be auto, fp32, tf32, fp16 or bf16" },
        { "--dtype bf16", 2, "--dtype: a CPU computes in fp32, not 'bf16'" },
        { "--vae-dtype fp16", 2, "--vae-dtype: a CPU computes in fp32, not 'fp16'" },
        { "--text-encoder-dtype bf16", 2, "--text-encoder-dtype: a CPU computes in fp32, not 'bf16'" },
        { "--vae-dtype tf32", 2, "--vae-dtype: 'tf32' must be auto, fp32, fp16 or bf16" },
        { "--device tpu", 2, "--device: 'tpu' must be auto, cpu, cuda" },
        { "--device opencl:0 --threads 2", 2, "--threads is 2, but --device is 'opencl:0'" },
        { "--dtype tf32", 2, "has no tf32, which NVIDIA GPUs have from compute capability 8.0 on. It computes in fp32." },
        { "--freeu 1,2", 2, "--freeu: '1,2' must be four numbers" },
        { "--stpes 3", 2, "Did you mean --steps?" },
        { "--compile nnoe", 2, "Did you mean 'none'?" },
        { "--scheduler eulr_a", 2, "Did you mean 'euler_a'?" },
        { "--scheduler heun9", 2, "\"heun9\" is not known. Known are DDIMScheduler" },
        { "--steps \u202e", 2, "--steps: '\\u202e' must be" },
        { "--prompts missing.txt", 2, "a prompt and --prompts are given" },
        { "-o - --count 2", 2, "--output is '-', which takes one image, but 2 are requested" },
        { "-o - --json", 2, "--output is '-' and --json is given" },
        { "--device cuda:7", 1, "'cuda:7' is not available" },
        { "-o a.bmp", 2, "'a.bmp' must end in .png, .jpg, .jpeg or .webp" },
        { "-o a.png --save-latents l --save-intermediates l", 2, "'l' is given for two outputs" },
        { "-o nowhere/a.png", 1, "nowhere does not exist" },
        { "--save-latents nowhere/l.safetensors", 1, "nowhere does not exist" },
        { "--latents missing.safetensors", 1, "missing.safetensors" },
        { "--strength 0.5", 2, "--strength is '0.5', but --init-image, the image to change, is missing" },
        { "--mask-image m.png", 2, "--mask-image is 'm.png', but --init-image, the image to change, is missing" },
        { "--init-image i.png --mask-blur 2", 2, "--mask-blur is '2', but --mask-image, the mask, is missing" },
        { "--padding-mask-crop 8", 2, "--padding-mask-crop is '8', but --mask-image, the mask, is missing" },
        { "--init-image i.png --latents l.safetensors", 2, "--init-image and --latents are given; a run begins with one of them" },
        { "--init-image missing.png", 1, "missing.png" },
        { "--refiner r --denoising-end 1", 2, "--denoising-end is 1; with --refiner it must be above 0 and below 1" },
        { "--refiner r --init-image i.png --mask-image m.png", 2, "--mask-image and --refiner are given" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task Generate_WrongOption_GivesOneClearMessage(string options, int exitCode, string message) =>
        // options are checked before the model, which does not exist
        Check(await Generate("no-such-model", options.Split(' ')), exitCode, message);

    /// <summary>Values that only the model can check.</summary>
    public static TheoryData<string, int, string> WrongForTheModel => new()
    {
        { "--width 33", 2, "width is 33; it must be a multiple of 8" },
        { "--width 20000 --height 20000", 2, "size is 20000x20000" },
        { "--guidance-scale -1", 2, "guidance scale is -1" },
        { "--steps 2000", 2, "steps is 2000; it must be between 1 and 1000, the number of training timesteps" },
        { "--scheduler-config magic=1", 2, "no scheduler reads 'magic'" },
        { "--clip-skip 9", 2, "clip skip is 9; it must be at most" },
        { "--denoising-start 0.5", 2, "given together with latents" },
        { "--refiner no-such-refiner", 1, "no-such-refiner: the folder does not exist" },
        { "--steps 5 --sigmas 3,1", 2, "only one of the three" },
    };

    [Theory, MemberData(nameof(WrongForTheModel))]
    public async Task Generate_ValueWrongForTheModel_GivesOneClearMessage(string options, int exitCode, string message) =>
        Check(await Generate(TinySdxl.Folder, options.Split(' ')), exitCode, message);

    [Fact]
    public async Task Commands_UnreadableModel_NameIt()
    {
        Check(await Generate("no-such-model"), 1, "no-such-model: the folder does not exist");
        string copy = TinySdxl.CopyTo(Path.Combine(folder.Path, "model"));
        string weights = Path.Combine(copy, "unet", "diffusion_pytorch_model.safetensors");
        File.Delete(weights);
        File.WriteAllText(weights, "not safetensors at all");
        Check(await Generate(copy), 1, weights);
        Check(await Ilgd.Run(folder.Path, "inspect", copy), 1, weights);
        Check(await Ilgd.Run(folder.Path, "tokenize", "a", "--model", folder.Path), 1, "model_index.json");
    }

    /// <summary>A signal's number, and the exit code: 128 + that number.</summary>
    [Theory]
    [InlineData(1, 129), InlineData(2, 130), InlineData(3, 131), InlineData(15, 143)]
    public async Task Signal_DuringGenerate_CancelsAndWritesNothing(int signal, int exitCode)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Signals are sent by libc.");
        var watch = new Stopwatch();
        var result = await Ilgd.Watched(folder.Path, (process, line) =>
        {
            if (!line.StartsWith("denoise 1/", StringComparison.Ordinal)) return;
            watch.Start();
            process.Send(signal);
        }, "generate", "a red fox", "--model", TinySdxl.Folder, "--width", "128", "--height", "128", "--steps", "900", "-o", "a.png",
            "--save-latents", "l.safetensors");
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Errors}");
        Assert.Equal("ilgd: cancelled; nothing was written.", result.ErrorLines[^1]);
        Assert.Empty(result.Output);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        Assert.True(watch.IsRunning && watch.Elapsed < TimeSpan.FromSeconds(20), "A step of this model takes milliseconds.");
    }

    [Fact]
    public async Task Signal_SentTwice_EndsAtOnce()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Signals are sent by libc.");
        var watch = new Stopwatch();
        var result = await Ilgd.Watched(folder.Path, (process, line) =>
        {
            if (!line.StartsWith("denoise 1/", StringComparison.Ordinal)) return;
            watch.Start();
            process.Send(15);
            process.Send(1);
        }, "generate", "a red fox", "--model", TinySdxl.Folder, "--width", "512", "--height", "512", "--steps", "900", "-o", "a.png");
        Assert.True(result.ExitCode is 129 or 143, $"exit code {result.ExitCode}: {result.Errors}"); // two signals may arrive in any order
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private Task<IlgdResult> Generate(string model, params string[] options) =>
        Ilgd.Run(folder.Path, ["generate", "a red fox", "--model", model, .. options]);

    private void Check(IlgdResult result, int exitCode, string message)
    {
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Errors}");
        Assert.InRange(result.ErrorLines.Length, 1, 2);
        Assert.StartsWith("ilgd: ", result.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains(message, result.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
