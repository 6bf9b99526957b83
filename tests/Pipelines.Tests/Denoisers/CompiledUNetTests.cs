using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Guidance;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The passes over whole models: equal results with and without each, fewer launches, and an arena that is hardly larger than what is
/// alive.
/// </summary>
public sealed class CompiledUNetTests
{
    // they choose tiles, which other tests check
    private static readonly string[] NoPasses = [nameof(CompileOptions.CoordinateDescentTuning),
        nameof(CompileOptions.CoordinateDescentCheckAllDirections)];

    public static TheoryData<string> Switches =>
        [.. typeof(CompileOptions).GetProperties().Where(p => p.PropertyType == typeof(bool) && p.CanWrite).Select(p => p.Name)
            .Except(NoPasses)];

    [Theory]
    [InlineData("tiny-sdxl", 6), InlineData("tiny-sd15", 0), InlineData("tiny-sd21-v", 0)]
    public void Run_Compiled_EqualsEager(string model, int timeIds)
    {
        using var compiled = TestUNet.Open(model, timeIds);
        using var eager = TestUNet.Open(model, timeIds, options: CompileOptions.Eager);
        foreach (var s in new[] { (1, 8, 8, 77), (2, 16, 12, 77), (3, 9, 7, 20), (2, 1, 1, 5) })
            AssertSame(eager.Run(s.Item1, s.Item2, s.Item3, s.Item4), compiled.Run(s.Item1, s.Item2, s.Item3, s.Item4), $"{model} {s}");
    }

    [Theory, MemberData(nameof(Switches))]
    public void Run_AnyPassOffOrAlone_EqualsEager(string name)
    {
        using var eager = TestUNet.Open("tiny-sdxl", 6, options: CompileOptions.Eager);
        using var without = TestUNet.Open("tiny-sdxl", 6, options: With(new(), name, false));
        using var alone = TestUNet.Open("tiny-sdxl", 6, options: With(CompileOptions.Eager, name, true));
        float[] expected = eager.Run(2, 16, 12, 77);
        AssertSame(expected, without.Run(2, 16, 12, 77), $"without {name}");
        AssertSame(expected, alone.Run(2, 16, 12, 77), $"{name} alone");
    }

    [Theory, MemberData(nameof(Switches))]
    public void Decode_AnyPassOffOrAlone_EqualsEager(string name)
    {
        using var eager = TestVae.Open("tiny-sdxl", options: CompileOptions.Eager);
        using var without = TestVae.Open("tiny-sdxl", options: With(new(), name, false));
        using var alone = TestVae.Open("tiny-sdxl", options: With(CompileOptions.Eager, name, true));
        float[] expected = eager.Decode(2, 9, 8);
        AssertSame(expected, without.Decode(2, 9, 8), $"without {name}");
        AssertSame(expected, alone.Decode(2, 9, 8), $"{name} alone");
    }

    [Theory]
    [InlineData("tiny-sdxl", 6), InlineData("tiny-sd15", 0), InlineData("tiny-sd21-v", 0)]
    public void Run_RecordedInputs_CompiledEqualsEager(string model, int timeIds)
    {
        foreach (string id in Golden.Ids($"{model}-goldens/unet"))
        {
            var golden = Golden.Open($"{model}-goldens/unet")[id];
            bool mask = golden.Inputs.ContainsKey("encoder_attention_mask");
            using var compiled = TestUNet.Open(model, timeIds, mask);
            using var eager = TestUNet.Open(model, timeIds, mask, options: CompileOptions.Eager);
            AssertSame(eager.Run(golden, ["sample"])["sample"], compiled.Run(golden, ["sample"])["sample"], $"{model} {id}");
        }
    }

    [Fact]
    public void Plan_SdxlBaseAt512_NeedsFewerLaunchesAndLittleMoreMemoryThanIsAlive()
    {
        var unet = new UNet2DConditionModel(
            ModelConfig.Load(Path.Combine(Golden.Folder("real-configs/stable-diffusion-xl-base-1.0/unet"), "config.json")));
        using var device = new CpuDevice(threads: 2);
        using var arenas = new ArenaPool(device);
        var graph = UNetPrediction.Trace(unet, new(Guided: true));
        var sizes = new Sizes(("images", 1), ("height", 64), ("width", 64), ("tokens", 77));

        var (eager, _, _) = Compile(CompileOptions.Eager);
        _ = Compile(new()); // the first includes JIT compilation
        // the machine may be busy
        var (fused, compiling, planning) = Enumerable.Range(0, 4).Select(_ => Compile(new())).MinBy(run => run.Planning);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"passes {compiling:F0} ms, plan {planning:F0} ms; eager: {eager.Summary()}fused: {fused.Summary()}");
        foreach (string name in Switches.Select(row => row.Data))
        {
            var (layout, _, _) = Compile(With(new(), name, false));
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"without {name}: {layout.Steps.Count} + {layout.LoopInvariantSteps.Count} launches, arena {layout.ArenaBytes / 1e6:F1} "
                    + $"MB, alive {layout.PeakLiveBytes / 1e6:F1} MB");
        }

        Assert.True(fused.Steps.Count <= 0.6 * eager.Steps.Count, $"{fused.Steps.Count} launches of {eager.Steps.Count}.");
        Assert.True(fused.ArenaBytes <= 1.15 * fused.PeakLiveBytes, $"The arena has {fused.ArenaBytes} bytes for {fused.PeakLiveBytes}.");
        Assert.True(planning < 500, $"Planning took {planning} ms."); // some 30 on a quiet machine

        (PlanReport Report, double Compiling, double Planning) Compile(CompileOptions options)
        {
            var clock = Stopwatch.StartNew();
            var compiled = new CompiledGraph(graph, arenas, options);
            double compiling = clock.Elapsed.TotalMilliseconds;
            var report = compiled.Report(sizes);
            return (report, compiling, clock.Elapsed.TotalMilliseconds - compiling);
        }
    }

    private static CompileOptions With(CompileOptions options, string name, bool value)
    {
        var changed = options with { };
        typeof(CompileOptions).GetProperty(name)!.SetValue(changed, value);
        return changed;
    }

    /// <summary>Passes keep the order of every sum, so the bits stay the same.</summary>
    private static void AssertSame(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double rms = Math.Sqrt(expected.Average(v => (double)v * v));
        double worst = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max() / rms;
        Assert.True(expected.SequenceEqual(actual), $"{what}: the largest difference is {worst:g3} of rms {rms:g3}.");
    }
}
