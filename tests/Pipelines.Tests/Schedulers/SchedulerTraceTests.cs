using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Step programs against every recorded run, after every step.</summary>
public class SchedulerTraceTests
{
    /// <summary>
    /// The recorded runs are float32, without float64 values to compare with. A step is 5 to 10 roundings of 6e-8 of the
    /// largest operand, and the errors of up to 29 evaluations add up; so errors are
    /// relative to the largest latent of the run so far. Measured: at most 8e-7 with our steps in double, 1.2e-6 in float32.
    /// </summary>
    internal const double Tolerance = 2.5e-6;

    /// <summary>
    /// DEIS's factors are differences of antiderivatives in ln ρ, divided by a difference of logarithms: in float32 they lose up to two
    /// digits where steps are short, and in one long step the exponential magnifies the rounding of λ.
    /// </summary>
    private const double DeisTolerance = 1e-5;

    // half an ulp of float32
    private const double Rounding = 1.0 / (1 << 24);

    public static TheoryData<string> Ids => SchedulerGoldens.Ids(SchedulerGoldens.TracesSet);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Ids))]
    public void Steps_RecordedTrace_EqualThoseRecorded(string id)
    {
        var golden = SchedulerGoldens.Traces[id];
        var schedule = SchedulerGoldens.SchedulerOf(golden).CreateSchedule(
            SchedulerGoldens.Request(golden, golden.Json.GetProperty("num_steps").GetInt32()) with
            {
                SChurn = SchedulerGoldens.Number(golden.Params, "s_churn", 0),
                STMin = SchedulerGoldens.Number(golden.Params, "s_tmin", 0),
                STMax = SchedulerGoldens.Number(golden.Params, "s_tmax", double.PositiveInfinity),
                SNoise = SchedulerGoldens.Number(golden.Params, "s_noise", 1),
            });
        float[] timesteps = golden.Input("timesteps");
        Assert.Equal(timesteps.Length, schedule.Timesteps.Count);
        for (int i = 0; i < timesteps.Length; i++) Assert.Equal(timesteps[i], schedule.Timesteps[i], 1e-4);

        Follow(golden, schedule, golden.Input("start"), single: false);
        Follow(golden, schedule, golden.Input("start"), single: true);
    }

    [Fact]
    public void Ids_OfTheTraces_AreComplete() => Assert.Equal(SchedulerGoldens.CountIn(SchedulerGoldens.Traces), Ids.Count);

    [Fact]
    public void CreateSchedule_WhatDiffusersRefuses_IsRefused()
    {
        int refused = 0;
        foreach (var entry in SchedulerGoldens.Tables.Json.GetProperty("not_recorded").EnumerateArray())
        {
            string[] parts = entry[0].GetString()!.Split('/');
            if (!Scheduler.Names.Contains(parts[0])) continue;
            var scheduler = SchedulerGoldens.SchedulerOf(SchedulerGoldens.Tables[$"{parts[0]}/{parts[1]}"]);
            int steps = int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture);

            // Not a refusal: the square root is NaN in float32 (EulerAncestralDiscreteScheduler.Split); ours is finite.
            if (entry[2].GetString()!.Contains("non-finite", StringComparison.Ordinal))
            {
                Assert.NotNull(scheduler.CreateSchedule(steps).Step(0));
                continue;
            }

            var error = Assert.ThrowsAny<Exception>(() => scheduler.CreateSchedule(steps));
            Assert.Contains(scheduler.Name, error.Message, StringComparison.Ordinal);
            Assert.True(error is ArgumentException or ModelFileException, error.ToString());
            refused++;
        }

        Assert.Equal(20, refused);
    }

    private static double ToleranceOf(string scheduler) => scheduler == nameof(DEISMultistepScheduler) ? DeisTolerance : Tolerance;

    /// <summary>
    /// How much a step of diffusers magnifies the rounding of x0. The second half of Heun's and DPM2's steps divides x − x0 by the σ of its
    /// evaluation and multiplies it by half or all of the step's length; the difference cancels where the step is long, and our steps do
    /// without it.
    /// </summary>
    private static double Cancellation(Schedule schedule, int index)
    {
        if (index % 2 == 0 || schedule.Sigmas.Count == 0) return 0;
        double from = schedule.Sigmas[index - 1], to = schedule.Sigmas[index];
        return schedule.SchedulerName switch
        {
            nameof(HeunDiscreteScheduler) or nameof(FlowMatchHeunDiscreteScheduler) => (from - to) / (2 * to),
            nameof(KDPM2DiscreteScheduler) => (from - to) / Math.Sqrt(from * to),
            nameof(KDPM2AncestralDiscreteScheduler) => (from - to * to / from) / to, // its evaluation is between σ and to²/σ
            _ => 0,
        };
    }

    /// <summary>Runs a schedule with recorded model outputs and noise, and compares inputs, x0 and samples.</summary>
    internal static void Follow(GoldenCase golden, Schedule schedule, float[] start, bool single)
    {
        int width = start.Length, first = schedule.BeginIndex, draws = 0;
        float[] outputs = golden.Input("model_output"), samples = golden.Output("prev_sample");
        float[] noise = golden.Inputs.ContainsKey("noise") ? golden.Input("noise") : [];
        float[]? inputs = golden.Outputs.ContainsKey("model_input") ? golden.Output("model_input") : null;
        float[]? denoised = golden.Outputs.ContainsKey("pred_original_sample") ? golden.Output("pred_original_sample") : null;
        var run = new StepRunner(schedule, width, single);
        run[Slot.Sample] = SchedulerGoldens.Row(start, 0, width);
        double largest = run[Slot.Sample].Max(Math.Abs), allowed = ToleranceOf(schedule.SchedulerName);
        for (int row = 0; row < schedule.Timesteps.Count - first; row++)
        {
            int index = first + row;
            double scale = schedule.InputScale(index);
            if (inputs is not null) Compare("model input", inputs, row, [.. run[Slot.Sample].Select(v => v * scale)], largest * scale);

            run[Slot.ModelOutput] = SchedulerGoldens.Row(outputs, row, width);
            if (schedule.Step(index).NeedsNoise) run[Slot.Noise] = SchedulerGoldens.Row(noise, draws++, width);
            if (denoised is not null)
            {
                run.Preview(index);
                Compare("x0", denoised, row, run[Slot.Denoised], Math.Max(largest, run[Slot.Denoised].Max(Math.Abs)));
            }

            allowed += Rounding * Cancellation(schedule, index);
            run.Step(index);
            largest = Math.Max(largest, SchedulerGoldens.Row(samples, row, width).Max(Math.Abs));
            Compare("sample", samples, row, run[Slot.Sample], largest);
        }

        Assert.Equal(samples.Length, width * (schedule.Timesteps.Count - first));
        Assert.Equal(noise.Length, width * draws);

        void Compare(string name, float[] expected, int row, double[] actual, double magnitude)
        {
            double error = SchedulerGoldens.Row(expected, row, width).Zip(actual, (e, a) => Math.Abs(e - a)).Max();
            Assert.True(error <= allowed * magnitude,
                $"{golden.Name}: {name} of evaluation {first + row} is off by {error / magnitude:g3} of {magnitude:g4} in "
                    + $"{(single ? "float32" : "double")}; allowed {allowed:g3}.");
        }
    }
}
