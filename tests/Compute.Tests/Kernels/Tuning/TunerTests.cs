using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Tests.FakeKernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The search, with times from a model.</summary>
public sealed class TunerTests : IDisposable
{
    private readonly CpuDevice device = new(threads: 1);

    private static readonly TunerOptions Patient = new() { Budget = TimeSpan.FromMinutes(5) };

    public void Dispose() => device.Dispose();

    [Fact]
    public void Run_SeparableTimes_ReachesTheOptimum()
    {
        var timer = new FakeTimer(c => Bowl(c, columns: 128, rows: 2));
        var result = Run(timer, [Tiled]);
        Assert.Equal("columns=128 rows=2", result.Best.Settings.ToString());
        Assert.True(result.Complete);
        Assert.Equal(Bowl(new(Tiled, KernelSettings.Default), 128, 2) / 1.0, result.Gain, 6);
        Assert.InRange(result.Tried, 2, 15); // of 30: it descends, it does not enumerate
    }

    [Fact]
    public void Run_DefaultIsBest_StaysThere()
    {
        var result = Run(new FakeTimer(c => Bowl(c, columns: 16, rows: 8)), [Tiled]);
        Assert.Same(Tiled, result.Best.Variant);
        Assert.Equal(KernelSettings.Default, result.Best.Settings);
        Assert.Equal(1, result.Gain);
    }

    [Fact]
    public void Run_OtherKernelIsFaster_TakesItAndTunesItToo()
    {
        var timer = new FakeTimer(c => c.Variant == Plain ? 5 : Bowl(c, columns: 64, rows: 8));
        var result = Run(timer, [Plain, Tiled]);
        Assert.Same(Tiled, result.Best.Variant);
        Assert.Equal("columns=64", result.Best.Settings.ToString());
        Assert.Equal(5, result.Gain, 6);
    }

    [Fact]
    public void Run_ValleyAlongADiagonal_NeedsAllDirections()
    {
        static double Diagonal(KernelChoice c)
        {
            int columns = Columns.Values.IndexOf(c.Settings[Columns]), rows = Rows.Values.IndexOf(c.Settings[Rows]) - 3;
            return 10 + 3 * Math.Abs(columns - rows) - columns - rows; // a step along only one coordinate makes it worse
        }

        Assert.Equal(KernelSettings.Default, Run(new FakeTimer(Diagonal), [Tiled]).Best.Settings);
        Assert.Equal("columns=64 rows=32",
            Run(new FakeTimer(Diagonal), [Tiled], Patient with { CheckAllDirections = true }).Best.Settings.ToString());
    }

    [Fact]
    public void Run_GainBelowTheMargin_DoesNotCount()
    {
        var result = Run(new FakeTimer(c => c.Settings[Columns] == 32 ? 0.98 : 1), [Tiled]);
        Assert.Equal(KernelSettings.Default, result.Best.Settings);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void Run_FlatButNoisyTimes_StayNearTheDefault(int seed)
    {
        var random = new Random(seed);
        var result = Run(new FakeTimer(_ => 1 + 0.1 * random.NextDouble() + (random.Next(8) == 0 ? 1 : 0)), [Tiled]);
        Assert.InRange(result.Gain, 1, 1.1);
        Assert.Equal(KernelSettings.Default, result.Best.Settings);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Run_NoisyTimes_FindsALargeGain(int seed)
    {
        var random = new Random(seed);
        var result = Run(new FakeTimer(c =>
            Bowl(c, columns: 256, rows: 8) * (1 + 0.05 * random.NextDouble()) * (random.Next(8) == 0 ? 2 : 1)), [Tiled]);
        Assert.InRange(result.Best.Settings[Columns], 64, 256);
        Assert.InRange(result.Gain, 1.5, 3.5);
    }

    [Fact]
    public void Run_ForbiddenCombinations_AreNeverTimed()
    {
        var space = new TuningSpace(Columns, Rows) { Allows = (_, _, s) => s[Columns] <= 64 };
        var limited = new KernelVariant("fake/limited", Backends.Cpu, (_, _) => null!) { Tuning = space };
        var result = Run(new FakeTimer(c => c.Settings[Columns] <= 64 ? Bowl(c, 256, 8) : throw new InvalidOperationException("forbidden")),
            [limited]);
        Assert.Equal(64, result.Best.Settings[Columns]);
    }

    [Fact]
    public void Run_SameBits_TunesTheFirstKernelOnlyAndNotItsCode()
    {
        var options = Patient with { SameBits = true, CheckAllDirections = true };
        var timer = new FakeTimer(c => c.Variant == Plain ? 0.1 : Bowl(c, columns: 64, rows: 8));
        var result = Run(timer, [Tiled, Plain], options);
        Assert.Same(Tiled, result.Best.Variant);
        Assert.Equal("columns=64", result.Best.Settings.ToString());

        var generated = new KernelVariant("fake/generated", Backends.Cpu,
            (_, _) => null!)
        { Tuning = new TuningSpace(Columns, Rows) { ChangesBits = true } };
        var kept = Run(timer, [generated, Plain], options);
        Assert.Equal((KernelSettings.Default, 1), (kept.Best.Settings, kept.Tried));
    }

    [Fact]
    public void Run_TimeIsUp_KeepsWhatWasFound()
    {
        var result = new Tuner(new FakeTimer(c => Bowl(c, 256, 32)), Patient with { Budget = TimeSpan.Zero }).Run(device, Gemm(),
            [Tiled], TestContext.Current.CancellationToken);
        Assert.False(result.Complete);
        Assert.Equal(1, result.Tried);
        Assert.Equal(1, result.Gain);
    }

    [Fact]
    public void Run_Cancelled_Throws()
    {
        using var source = new CancellationTokenSource();
        int timings = 0;
        var timer = new FakeTimer(_ => { if (++timings == 3) source.Cancel(); return 1; });
        Assert.Throws<OperationCanceledException>(() => new Tuner(timer, Patient).Run(device, Gemm(), [Tiled], source.Token));
        Assert.InRange(timer.Timings, 3, 4);
    }

    private TunerResult Run(FakeTimer timer, KernelVariant[] candidates, TunerOptions? options = null) =>
        new Tuner(timer, options ?? Patient).Run(device, Gemm(), candidates, TestContext.Current.CancellationToken);

    /// <summary>1 at the best settings, and 0.5 more for every step away.</summary>
    private static double Bowl(KernelChoice choice, int columns, int rows) =>
        1 + 0.5 * Math.Abs(Columns.Values.IndexOf(choice.Settings[Columns]) - Columns.Values.IndexOf(columns))
            + 0.5 * Math.Abs(Rows.Values.IndexOf(choice.Settings[Rows]) - Rows.Values.IndexOf(rows));
}
