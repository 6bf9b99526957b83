using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Training tables, and runs that start in the middle with a noised image.</summary>
public class SchedulerMiscTests
{
    public static TheoryData<string> TrainingIds =>
        [.. Golden.Ids(SchedulerGoldens.MiscSet).Where(id => id.StartsWith("alphas_cumprod", StringComparison.Ordinal))];

    public static TheoryData<string> MiddleIds => SchedulerGoldens.Ids(SchedulerGoldens.MiscSet, SchedulerGoldens.FromTheMiddle);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(TrainingIds))]
    public void TrainingTables_RecordedCase_EqualBitForBit(string id)
    {
        var golden = SchedulerGoldens.Misc[id];
        var config = SchedulerGoldens.Config(golden.Params.GetRawText());
        var noise = TrainingNoise.Read(config, BetaSchedule.Read(config), floor: true);
        Assert.Equal(golden.Output("betas"), noise.Betas);
        Assert.Equal(golden.Output("alphas_cumprod"), noise.AlphasCumprod);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(MiddleIds))]
    public void Runs_FromTheMiddle_EqualThoseRecorded(string id)
    {
        var golden = SchedulerGoldens.Misc[id];
        int begin = golden.Json.GetProperty("begin_index").GetInt32();
        var request = SchedulerGoldens.Request(golden, golden.Json.GetProperty("num_steps").GetInt32());
        var schedule = SchedulerGoldens.SchedulerOf(golden).CreateSchedule(request).BeginningAt(begin);
        Assert.Equal(begin, schedule.BeginIndex);

        float[] clean = golden.Input("x0"), noise = golden.Input("noise_init");
        Check("noised", schedule.AddNoise(begin));
        if (golden.Outputs.ContainsKey("velocity")) Check("velocity", schedule.Velocity(begin));
        SchedulerTraceTests.Follow(golden, schedule, golden.Output("noised"), single: false);
        SchedulerTraceTests.Follow(golden, schedule, golden.Output("noised"), single: true);

        void Check(string name, (double Sample, double Noise) factors) =>
            // two products and a sum in float32
            golden.Check(name, [.. clean.Zip(noise, (x, e) => (float)(factors.Sample * x + factors.Noise * e))], 5e-7);
    }

    [Fact]
    public void MiddleIds_OfTheGolden_AreComplete() => Assert.Equal(SchedulerGoldens.CountIn(SchedulerGoldens.Misc), MiddleIds.Count);
}
