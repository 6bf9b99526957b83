using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Settings of FlowMatchEulerDiscrete without recorded tables.</summary>
public sealed class FlowMatchEulerDiscreteSchedulerTests
{
    private const string Dynamic = """{"use_dynamic_shifting": true, "shift": 3}""";

    [Theory]
    [InlineData(256, 0.5), InlineData(4096, 1.15), InlineData(2176, 0.825), InlineData(1, 0.45683593)]
    public void CreateSchedule_ImageTokens_GiveTheShiftOfFlux(int tokens, double mu)
    {
        var bySize = Make(Dynamic).CreateSchedule(new ScheduleRequest { Steps = 7, ImageTokens = tokens });
        var byShift = Make(Dynamic).CreateSchedule(new ScheduleRequest { Steps = 7, Mu = mu });
        Assert.Equal(byShift.Sigmas.Count, bySize.Sigmas.Count);
        for (int i = 0; i < bySize.Sigmas.Count; i++) Assert.Equal(byShift.Sigmas[i], bySize.Sigmas[i], 1e-6);
        // σ = e^μ/(e^μ + 1/t − 1), with t evenly spaced from 1 to 1/1000
        double t = 1 - 3 * (1 - 0.001) / 6;
        Assert.Equal(Math.Exp(mu) / (Math.Exp(mu) + 1 / t - 1), byShift.Sigmas[3], 1e-6);
    }

    [Fact]
    public void CreateSchedule_LinearTimeShift_TakesMuItself()
    {
        var schedule = Make("""{"use_dynamic_shifting": true, "time_shift_type": "linear"}""")
            .CreateSchedule(new ScheduleRequest { Steps = 2, Mu = 2 });
        Assert.Equal(2 / (2 + 1 / 0.001 - 1), schedule.Sigmas[1], 1e-8);
    }

    [Fact]
    public void CreateSchedule_InvertedSigmas_GoFromTheImageToNoise()
    {
        var schedule = Make("""{"invert_sigmas": true, "shift": 3}""").CreateSchedule(5);
        var plain = Make("""{"shift": 3}""").CreateSchedule(5);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(1 - plain.Sigmas[i], schedule.Sigmas[i], 1e-6);
            Assert.Equal(1000 * schedule.Sigmas[i], schedule.Timesteps[i], 1e-3);
        }

        Assert.Equal((0, 1), (schedule.Sigmas[0], schedule.Sigmas[5]));
    }

    [Fact]
    public void CreateSchedule_WhatGivesNoTable_IsRefused()
    {
        Assert.Contains("the image's tokens are absent", Refusal(Dynamic, 4), StringComparison.Ordinal);
        Assert.Contains("it must be at least 2", Refusal("""{"shift_terminal": 0.1}""", 1), StringComparison.Ordinal);
        Assert.Contains("end at 0", Refusal("{}", new ScheduleRequest { Sigmas = [1, 0.5] }), StringComparison.Ordinal);
        Assert.Contains("begin at 1 or less", Refusal("{}", new ScheduleRequest { Sigmas = [14, 0.5, 0] }), StringComparison.Ordinal);
        Assert.Contains("mu is -1", Refusal("""{"use_dynamic_shifting": true, "time_shift_type": "linear"}""",
            new ScheduleRequest { Steps = 4, Mu = -1 }), StringComparison.Ordinal);
        Assert.Contains("ImageTokens is 0", Refusal(Dynamic, new ScheduleRequest { Steps = 4, ImageTokens = 0 }), StringComparison.Ordinal);
    }

    private static Scheduler Make(string json) => SchedulerGoldens.FromJson(json, "FlowMatchEulerDiscreteScheduler");

    private static string Refusal(string json, ScheduleRequest request) =>
        Assert.Throws<DiffusionRequestException>(() => Make(json).CreateSchedule(request)).Message;
}
