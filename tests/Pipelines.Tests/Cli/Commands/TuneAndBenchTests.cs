using System.Globalization;
using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>ilgd tune</c> and <c>ilgd bench</c>, on the small test model.</summary>
public sealed class TuneAndBenchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Tune_RunTwice_KeepsResultsAndFindsNothingToDo()
    {
        string[] arguments = ["tune", "--model", TinySdxl.Folder, "--size", "64x64", "--seconds", "0.1", "--json"];
        var first = await Ilgd.Run(folder.Path, arguments);
        Assert.True(first.ExitCode == 0, first.Errors);
        using var json = JsonDocument.Parse(first.Output);
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        Assert.NotEmpty(results);
        Assert.InRange(json.RootElement.GetProperty("gain").GetDouble(), 0.999, 20);
        Assert.All(results, r => Assert.True(r.GetProperty("microseconds").GetDouble() > 0 && r.GetProperty("gain").GetDouble() >= 1
            && r.GetProperty("calls").GetInt32() > 0));
        Assert.Equal(results.Length, first.ErrorLines.Count(line => line.Contains($"/{results.Length} ", StringComparison.Ordinal)));
        using (var table = JsonDocument.Parse(File.ReadAllBytes(json.RootElement.GetProperty("table").GetString()!)))
            Assert.True(table.RootElement.GetProperty("entries").GetArrayLength() >= results.Length);

        var second = await Ilgd.Run(folder.Path, arguments);
        using var again = JsonDocument.Parse(second.Output);
        Assert.Empty(again.RootElement.GetProperty("results").EnumerateArray());
    }

    [Fact]
    public async Task Tune_Interrupted_Ends130AndKeepsWhatWasFound()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Signals are sent by libc.");
        var result = await Ilgd.Watched(folder.Path, Interrupt, "tune", "--model", TinySdxl.Folder, "--size", "128x128", "--again");
        Assert.Equal(130, result.ExitCode);
        string path = result.ErrorLines[^1].Split(" are in ")[1][..^1];
        using var table = JsonDocument.Parse(File.ReadAllBytes(path));
        Assert.NotEmpty(table.RootElement.GetProperty("entries").EnumerateArray());

        static void Interrupt(Child process, string line)
        {
            if (line.StartsWith("2/", StringComparison.Ordinal)) process.Send(2);
        }
    }

    [Fact]
    public async Task Tune_NothingCanBeKept_FailsWithTheReason()
    {
        string cache = Path.Combine(folder.Path, "cache");
        using (var device = new CpuDevice(threads: 1)) // instead of the file that writers lock
            Directory.CreateDirectory(TuningTable.Open(device, Path.Combine(cache, "tuning")).Path + ".lock");
        var result = await Ilgd.RunWith(new() { ["ILGPUDIFFUSION_CACHE"] = cache }, folder.Path, "tune", "--model", TinySdxl.Folder,
            "--device", "cpu", "--threads", "1", "--size", "64x64", "--seconds", "0.05");
        Assert.NotEqual(0, result.ExitCode);
        Assert.DoesNotContain("Kept in", result.Output, StringComparison.Ordinal);
        Assert.Contains(".lock", result.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_JsonAndCsv_HaveEveryRung()
    {
        var result = await Ilgd.Run(folder.Path, "bench", "--model", TinySdxl.Folder, "--size", "64x64", "--steps", "2", "--runs", "3",
            "--json", "--csv", "runs.csv", "--plot", "runs.svg");
        Assert.True(result.ExitCode == 0, result.Errors);
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.Equal((64, 64, 2, 3),
            (root.GetProperty("width").GetInt32(), root.GetProperty("height").GetInt32(), root.GetProperty("steps").GetInt32(),
                root.GetProperty("runs").GetInt32()));
        Assert.True(root.GetProperty("peak_resident_bytes").GetInt64() > 1 << 20);
        var rungs = root.GetProperty("rungs").EnumerateArray().ToArray();
        Assert.Equal(["eager", "repeated-blocks", "compiled", "fused-qkv", "int8"], rungs.Select(r => r.GetProperty("name").GetString()));
        foreach (var rung in rungs)
        {
            double median = rung.GetProperty("median_seconds").GetDouble();
            Assert.Equal(3, rung.GetProperty("run_seconds").GetArrayLength());
            Assert.InRange(median, rung.GetProperty("best_seconds").GetDouble(),
                rung.GetProperty("run_seconds").EnumerateArray().Max(s => s.GetDouble()));
            Assert.True(rung.GetProperty("seconds_per_step").GetDouble() * 2 <= median
                && rung.GetProperty("ratio_to_first").GetDouble() > 0);
            Assert.Equal(rung.GetProperty("noisy").GetBoolean(), rung.GetProperty("spread").GetDouble() > 0.15);
            // passes change no bit on the CPU
            if (rung.GetProperty("name").GetString() != "int8") Assert.Equal(0, rung.GetProperty("largest_difference").GetInt32());
        }

        Assert.True(rungs[3].GetProperty("launches").GetInt32() < rungs[0].GetProperty("launches").GetInt32());
        Assert.Equal(root.GetProperty("noisy").GetBoolean(),
            root.GetProperty("notes").EnumerateArray().Any(n => n.GetString()!.StartsWith("noisy", StringComparison.Ordinal)));
        string[] lines = File.ReadAllLines(Path.Combine(folder.Path, "runs.csv"));
        Assert.Equal(1 + 3 * rungs.Length, lines.Length);
        Assert.All(lines, line => Assert.Equal(lines[0].Split(',').Length, line.Split(',').Length));
        Assert.StartsWith("pipeline_cls,ckpt_id,batch_size,num_inference_steps,", lines[0], StringComparison.Ordinal);
        var plot = System.Xml.Linq.XDocument.Load(Path.Combine(folder.Path, "runs.svg"));
        string[] words = [.. plot.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value)];
        Assert.All(rungs, rung => Assert.Contains(rung.GetProperty("name").GetString(), words));
    }

    [Fact]
    public void GuideLadder_OnACpu_HasEveryTechniqueThatItHas()
    {
        using var device = new CpuDevice(threads: 1);
        var rungs = GuideLadder.For(new PipelineOptions { Device = device });
        Assert.Equal(["float32", "attention", "compiled", "max-autotune", "fused-qkv", "int8", "fewer-steps"], rungs.Select(r => r.Name));
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = rungs[^1].Request(pipeline, TinySdxl.Request with { Steps = 30 });
        Assert.Equal((20, "DPMSolverMultistepScheduler"), (request.Steps, request.Scheduler!.Name));
    }

    [Fact]
    public void ImageDifference_OfKnownImages_IsTheDefinition()
    {
        Image black = new(2, 1, new byte[6]), one = new(2, 1, [6, 0, 0, 0, 0, 0]);
        Assert.Equal(new ImageDifference(6, 1, 10 * Math.Log10(255.0 * 255 / 6)), ImageDifference.Between(one, black));
        Assert.Equal(new ImageDifference(0, 0, double.PositiveInfinity), ImageDifference.Between(black, black));
    }

    [Fact]
    public async Task Bench_UnknownRung_ListsThoseThatThereAre()
    {
        var result = await Ilgd.Run(folder.Path, "bench", "--model", TinySdxl.Folder, "--rungs", "eager,warp");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("'warp'", result.Errors, StringComparison.Ordinal);
        Assert.Contains("max-autotune", result.Errors, StringComparison.Ordinal);
    }
}
