using System.Diagnostics;
using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The model that ships with the tool, on every GPU device present: the same image as on the CPU, nothing read back in the loop, and a fast
/// second start.
/// </summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class GpuImageTests
{
    private const int Levels = 2;
    private const double Share = 0.99;

    /// <summary>The embedded model compiles 22 kernels for an OpenCL CPU device.</summary>
    private const int MostKernels = 32;

    /// <summary>
    /// The least ratio of the first process's time to the second's, which compiles nothing: the first takes about a minute on an idle
    /// machine. A ratio, because a loaded machine slows down both.
    /// </summary>
    private const double MostTimes = 30;

    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public void Generate_OnAGpu_GivesTheProcessorsImage(string id)
    {
        TestDevices.OpenForModels(id);
        using var cpu = new CpuDevice(threads: 2);
        var request = new ImageRequest("a red heart") { Seed = 42 };
        var expected = Draw(cpu, request, offload: false);
        long plainPeak = long.MaxValue;
        foreach (bool offload in new[] { false, true })
        {
            using var device = TestDevices.OpenAnother(id);
            var actual = Draw(device, request, offload);
            AssertSame(expected.Images[0], actual.Images[0]);
            Assert.Equal(0, actual.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
            Assert.Equal(1, actual.Stages.Sum(s => s.HostSynchronisations)); // the image's pixels
            Assert.Equal(0, device.AllocatedBytes); // weights were freed with the pipeline
            Assert.True(device.PeakBytes < plainPeak, $"Taking turns needs {device.PeakBytes} bytes, all together {plainPeak}.");
            plainPeak = device.PeakBytes;
        }
    }

    [Theory, MemberData(nameof(Devices))]
    public async Task Generate_InASecondProcess_CompilesNothing(string id)
    {
        TestDevices.OpenForModels(id);
        using var folder = new TemporaryFolder();
        string cache = Path.Combine(folder.Path, "cache");
        Directory.CreateDirectory(cache);
        var (first, firstReported, firstSeconds) = await Generate("first.png");
        var (second, secondReported, secondSeconds) = await Generate("second.png");
        TestContext.Current.SendDiagnosticMessage(
            $"{id}: first process {firstSeconds:F1} s with {Compilations(first)} kernels compiled, second {secondSeconds:F1} s.");
        Assert.InRange(Compilations(first), 1, MostKernels);
        Assert.Equal(0, Compilations(second));
        Assert.Equal((Compilations(first), 0), (firstReported, secondReported));
        Assert.Equal(id, second.GetProperty("device").GetProperty("id").GetString());
        Assert.True(File.ReadAllBytes(Path.Combine(folder.Path, "first.png")).AsSpan()
            .SequenceEqual(File.ReadAllBytes(Path.Combine(folder.Path, "second.png"))));
        Assert.InRange(firstSeconds, secondSeconds, MostTimes * secondSeconds);

        // a pack starts another process without that cache, as on another machine
        var packed = await Ilgd.RunWith(new() { ["ILGPUDIFFUSION_CACHE"] = cache, ["POCL_CACHE_DIR"] = cache }, folder.Path, "pack",
            "--device", id, "-o", "kernels.ilgpack", "--json");
        Assert.True(packed.ExitCode == 0, packed.Errors);
        var target = JsonDocument.Parse(packed.Output).RootElement.GetProperty("targets")[0];
        Assert.InRange(target.GetProperty("kernels").GetInt32(), Compilations(first), 2 * MostKernels);
        cache = Path.Combine(folder.Path, "other");
        var (third, thirdReported, _) = await Generate("third.png", "--pack", "kernels.ilgpack");
        Assert.Equal((0, 0, 0), (Compilations(third), third.GetProperty("driver_compilations").GetInt32(), thirdReported));
        Assert.True(File.ReadAllBytes(Path.Combine(folder.Path, "first.png")).AsSpan()
            .SequenceEqual(File.ReadAllBytes(Path.Combine(folder.Path, "third.png"))));
        Assert.False(Directory.Exists(Path.Combine(cache, "kernels")) && Directory.GetFiles(Path.Combine(cache, "kernels"), "*.kernel")
            .Length > 0);

        async Task<(JsonElement Report, int Reported, double Seconds)> Generate(string file, params string[] options)
        {
            long start = Stopwatch.GetTimestamp();
            var result = await Ilgd.RunWith(new() { ["ILGPUDIFFUSION_CACHE"] = cache, ["POCL_CACHE_DIR"] = cache }, folder.Path,
                ["generate", "a red heart", "--seed", "1", "--device", id, "-o", file, "--json", "--verbose", .. options]);
            Assert.True(result.ExitCode == 0, result.Errors);
            int reported = result.ErrorLines.Count(line => line.Contains(": translated in ", StringComparison.Ordinal));
            return (JsonDocument.Parse(result.Output).RootElement, reported, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    private static int Compilations(JsonElement report) => report.GetProperty("kernel_compilations").GetInt32();

    private static GenerationResult Draw(Device device, ImageRequest request, bool offload)
    {
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder,
            new PipelineOptions { Device = device, DType = DType.Float32, Offload = offload });
        return pipeline.Generate(request, null, default);
    }

    private static void AssertSame(Image expected, Image actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        int[] differences = [.. expected.Pixels.Zip(actual.Pixels, (a, b) => Math.Abs(a - b))];
        int near = Enumerable.Range(0, differences.Length / 3)
            .Count(pixel => differences.AsSpan(3 * pixel, 3).IndexOfAnyExceptInRange(0, Levels) < 0);
        Assert.True(near >= Share * differences.Length / 3,
            $"{near} of {differences.Length / 3} pixels are within {Levels} levels; the worst differs by {differences.Max()}.");
    }
}
