using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Names, settings and refused values.</summary>
public class SchedulerConfigTests
{
    private const string Sdxl = """
        {"_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
         "clip_sample": false, "interpolation_type": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon", "sample_max_value": 1.0,
         "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": null, "use_karras_sigmas": false}
        """;

    // As diffusers saves its schedulers, with the keys that other classes have too.
    private static readonly string[] SavedByDiffusers =
    [
        Sdxl,
        """
        {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver++", "beta_schedule": "scaled_linear", "euler_at_final": false,
         "final_sigmas_type": "zero", "flow_shift": 1.0, "lower_order_final": true, "prediction_type": "v_prediction", "solver_order": 2,
         "solver_type": "midpoint", "thresholding": false, "timestep_spacing": "trailing", "use_flow_sigmas": false, "variance_type": null}
        """,
        """{"_class_name": "UniPCMultistepScheduler", "solver_type": "bh2", "predict_x0": true, "disable_corrector": [], "solver_p": null}""",
        """{"_class_name": "DEISMultistepScheduler", "algorithm_type": "deis", "solver_type": "logrho", "lower_order_final": true}""",
    ];

    public static TheoryData<string> Names => [.. Scheduler.Names];

    [Fact]
    public void FromConfig_WithoutName_TakesTheClassOfTheFile() =>
        Assert.Equal("EulerDiscreteScheduler", SchedulerGoldens.FromJson(Sdxl).Name);

    [Fact]
    public void FromConfig_ConfigOfAnotherClass_TakesEveryNameAndShortName()
    {
        foreach (string name in Scheduler.Names.Concat(Scheduler.Aliases).Concat(["DPMPP_2M", "eulerdiscretescheduler"]))
        {
            var scheduler = SchedulerGoldens.FromJson(Sdxl, name);
            Assert.Equal(20, scheduler.CreateSchedule(20).Timesteps.Where((_, i) => i % scheduler.Order == 0).Distinct().Count());
        }

        // diffusers' SASolverScheduler refuses the algorithms of others; the short name brings its own
        foreach (string config in SavedByDiffusers)
            foreach (string name in Scheduler.Names.Except(["SASolverScheduler"]).Concat(Scheduler.Aliases))
                Assert.NotEmpty(SchedulerGoldens.FromJson(config, name).CreateSchedule(20).Timesteps);
    }

    [Fact]
    public void FromConfig_ShortName_BringsSettingsAndOverridesWin()
    {
        var config = SchedulerGoldens.Config(Sdxl);
        using var off = JsonDocument.Parse("false");
        var plain = Scheduler.FromConfig(config, "dpmpp_2m").CreateSchedule(10);
        var karras = Scheduler.FromConfig(config, "dpmpp_2m_karras").CreateSchedule(10);
        var undone = Scheduler.FromConfig(config, "dpmpp_2m_karras", [KeyValuePair.Create("use_karras_sigmas", off.RootElement)])
            .CreateSchedule(10);
        Assert.NotEqual(plain.Sigmas, karras.Sigmas);
        Assert.Equal(plain.Sigmas, undone.Sigmas);
        Assert.True(Scheduler.FromConfig(config, "dpmpp_2m_sde_karras").CreateSchedule(10).Step(0).NeedsNoise);
        Assert.Equal(2, plain.HistorySlots);
        Assert.Equal(3, Scheduler.FromConfig(config, "dpmpp_3m").CreateSchedule(10).HistorySlots);
    }

    [Fact]
    public void FromConfig_UnknownName_IsRefusedWithTheKnownOnes()
    {
        var given = Assert.Throws<DiffusionRequestException>(() => SchedulerGoldens.FromJson(Sdxl, "heunn"));
        Assert.Contains("heunn", given.Message, StringComparison.Ordinal);
        Assert.Contains("dpmpp_2m_karras", given.Message, StringComparison.Ordinal);
        var read = Assert.Throws<ModelFileException>(() =>
            SchedulerGoldens.FromJson("""{"_class_name": "CosineDPMSolverMultistepScheduler"}"""));
        Assert.Contains("DDIMScheduler", read.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson("{}"));
    }

    [Fact]
    public void UnknownKeys_InAConfig_AreIgnoredAndListed()
    {
        var schedule = SchedulerGoldens.FromJson("""{"_class_name": "DDIMScheduler", "bteas": 3}""").CreateSchedule(5);
        Assert.Equal([800, 600, 400, 200, 0], schedule.Timesteps);
        Assert.DoesNotContain("bteas", Scheduler.KnownConfigKeys);
        Assert.Contains("beta_start", Scheduler.KnownConfigKeys);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Constructor_EveryConfigKey_IsRead(string name)
    {
        foreach (string key in SchedulerGoldens.FromJson("{}", name).ConfigKeys)
        {
            // No setting is an object, so reading the key throws.
            var error = Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson($"{{\"{key}\": {{}}}}", name));
            Assert.Contains(key, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("*", "\"num_train_timesteps\": 0")]
    [InlineData("*", "\"num_train_timesteps\": -5")]
    [InlineData("*", "\"num_train_timesteps\": 2147483647")]
    [InlineData("*", "\"num_train_timesteps\": \"1000\"")]
    [InlineData("*", "\"beta_start\": -0.1")]
    [InlineData("*", "\"beta_start\": 0, \"beta_schedule\": \"linear\"")]
    [InlineData("*", "\"beta_end\": 1.5")]
    [InlineData("*", "\"beta_end\": true")]
    [InlineData("*", "\"beta_schedule\": \"quadratic\"")]
    [InlineData("*", "\"trained_betas\": [0.1, 0.2]")]
    [InlineData("*", "\"num_train_timesteps\": 2, \"trained_betas\": [0.1, -0.2]")]
    [InlineData("*", "\"num_train_timesteps\": 2, \"trained_betas\": [0.1, \"x\"]")]
    [InlineData("*", "\"prediction_type\": \"noise\"")]
    [InlineData("*", "\"timestep_spacing\": \"cubic\"")]
    [InlineData("*", "\"steps_offset\": -1")]
    [InlineData("*", "\"steps_offset\": 1000")]
    [InlineData("DDIMScheduler", "\"clip_sample_range\": 0")]
    [InlineData("HeunDiscreteScheduler", "\"clip_sample_range\": 0")]
    [InlineData("HeunDiscreteScheduler", "\"use_karras_sigmas\": true, \"use_exponential_sigmas\": true")]
    [InlineData("HeunDiscreteScheduler", "\"prediction_type\": \"flow_prediction\"")]
    [InlineData("LCMScheduler", "\"original_inference_steps\": 1001")]
    [InlineData("LMSDiscreteScheduler", "\"sigma_max\": -1")]
    [InlineData("LMSDiscreteScheduler", "\"use_exponential_sigmas\": true, \"use_beta_sigmas\": true")]
    [InlineData("LMSDiscreteScheduler", "\"prediction_type\": \"flow_prediction\"")]
    [InlineData("LCMScheduler", "\"thresholding\": true, \"dynamic_thresholding_ratio\": 1.5")]
    [InlineData("EulerDiscreteScheduler", "\"sigma_min\": 3, \"sigma_max\": 2")]
    [InlineData("EulerDiscreteScheduler", "\"sigma_min\": 0")]
    [InlineData("EulerDiscreteScheduler", "\"use_karras_sigmas\": true, \"use_beta_sigmas\": true")]
    [InlineData("EulerDiscreteScheduler", "\"final_sigmas_type\": \"one\"")]
    [InlineData("EulerDiscreteScheduler", "\"interpolation_type\": \"cubic\"")]
    [InlineData("DPMSolverMultistepScheduler", "\"solver_order\": 0")]
    [InlineData("DPMSolverMultistepScheduler", "\"solver_order\": 4")]
    [InlineData("DPMSolverMultistepScheduler", "\"algorithm_type\": \"dpmsolver\"")]
    [InlineData("DPMSolverMultistepScheduler",
        "\"algorithm_type\": \"sde-dpmsolver\", \"solver_order\": 3, \"final_sigmas_type\": \"sigma_min\"")]
    [InlineData("DPMSolverMultistepScheduler",
        "\"algorithm_type\": \"dpmsolver\", \"prediction_type\": \"flow_prediction\", \"final_sigmas_type\": \"sigma_min\"")]
    [InlineData("DPMSolverMultistepScheduler", "\"algorithm_type\": \"rk4\"")]
    [InlineData("DPMSolverMultistepScheduler", "\"solver_type\": \"euler\"")]
    [InlineData("DPMSolverMultistepScheduler", "\"lambda_min_clipped\": 100")]
    [InlineData("DPMSolverMultistepScheduler", "\"flow_shift\": 0")]
    [InlineData("UniPCMultistepScheduler", "\"solver_order\": 0")]
    [InlineData("UniPCMultistepScheduler", "\"solver_order\": 4")]
    [InlineData("UniPCMultistepScheduler", "\"solver_type\": \"bh3\"")]
    [InlineData("UniPCMultistepScheduler", "\"solver_p\": \"DDIMScheduler\"")]
    [InlineData("UniPCMultistepScheduler", "\"disable_corrector\": [0.5]")]
    [InlineData("UniPCMultistepScheduler", "\"predict_x0\": false")]
    [InlineData("UniPCMultistepScheduler", "\"lower_order_final\": false")]
    [InlineData("UniPCMultistepScheduler",
        "\"predict_x0\": false, \"prediction_type\": \"flow_prediction\", \"final_sigmas_type\": \"sigma_min\"")]
    [InlineData("EulerDiscreteScheduler", "\"beta_schedule\": \"sigmoid\"")] // only of DDPM
    [InlineData("DDPMScheduler", "\"variance_type\": \"fixed_large_log\"")]
    [InlineData("DDPMScheduler", "\"variance_type\": \"learned_range\"")]
    [InlineData("DPMSolverSinglestepScheduler", "\"solver_order\": 4")]
    [InlineData("DPMSolverSinglestepScheduler", "\"algorithm_type\": \"sde-dpmsolver\"")]
    [InlineData("DPMSolverSinglestepScheduler", "\"algorithm_type\": \"dpmsolver\"")]
    [InlineData("DPMSolverSDEScheduler", "\"noise_sampler_seed\": 5")]
    [InlineData("DEISMultistepScheduler", "\"solver_order\": 0")]
    [InlineData("DEISMultistepScheduler", "\"solver_type\": \"euler\"")]
    [InlineData("SASolverScheduler", "\"predictor_order\": 5")]
    [InlineData("SASolverScheduler", "\"corrector_order\": 0")]
    [InlineData("SASolverScheduler", "\"tau_func\": \"constant\"")]
    [InlineData("SASolverScheduler", "\"algorithm_type\": \"dpmsolver++\"")]
    [InlineData("EDMEulerScheduler", "\"sigma_min\": 90")]
    [InlineData("EDMEulerScheduler", "\"rho\": 0")]
    [InlineData("EDMEulerScheduler", "\"sigma_data\": -1")]
    [InlineData("EDMEulerScheduler", "\"sigma_schedule\": \"linear\"")]
    [InlineData("EDMDPMSolverMultistepScheduler", "\"algorithm_type\": \"sde-dpmsolver++\", \"solver_order\": 3")]
    [InlineData("IPNDMScheduler", "\"trained_betas\": [0.5]")]
    [InlineData("TCDScheduler", "\"original_inference_steps\": 0")]
    [InlineData("*", "\"shift\": 0")]
    [InlineData("FlowMatchEulerDiscreteScheduler", "\"shift_terminal\": 1")]
    [InlineData("FlowMatchEulerDiscreteScheduler", "\"time_shift_type\": \"square\"")]
    [InlineData("FlowMatchEulerDiscreteScheduler", "\"max_image_seq_len\": 256")]
    public void FromConfig_HostileSettings_AreRefusedByTheFilesName(string names, string settings)
    {
        using var json = JsonDocument.Parse($"{{{settings}}}");
        string[] keys = [.. json.RootElement.EnumerateObject().Select(p => p.Name)];
        foreach (string name in names == "*"
            ? Scheduler.Names.Where(n => keys.All(SchedulerGoldens.FromJson("{}", n).ConfigKeys.Contains)) : [names])
        {
            var error = Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson($"{{{settings}}}", name));
            Assert.StartsWith("scheduler_config.json: '", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CreateSchedule_NumbersOutOfRange_AreRefused(string name)
    {
        var scheduler = SchedulerGoldens.FromJson(Sdxl, name);
        foreach (int steps in new[] { int.MinValue, -1, 0, 1001, int.MaxValue })
            Assert.Contains($"steps is {steps}", Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(steps)).Message,
                StringComparison.Ordinal);
        Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(new ScheduleRequest()));
        Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(new ScheduleRequest { Steps = 2, Timesteps = [5, 3] }));
        Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(new ScheduleRequest { Steps = 2, Eta = double.NaN }));
        Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(new ScheduleRequest { Steps = 2, SChurn = -1 }));
    }

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 5.0 })]
    [InlineData(new[] { 5.0, 7.0, 0.0 })]
    [InlineData(new[] { 5.0, 5.0, 0.0 })]
    [InlineData(new[] { 5.0, 5.0000001, 0.0 })]
    [InlineData(new[] { 5.0, 0.0, 0.0 })]
    [InlineData(new[] { 5.0, 2.0, -1.0 })]
    [InlineData(new[] { double.NaN, 2.0, 0.0 })]
    [InlineData(new[] { double.PositiveInfinity, 2.0, 0.0 })]
    [InlineData(new[] { 1e300, 2.0, 0.0 })]
    public void CustomSigmas_ThatDoNotFall_AreRefused(double[] sigmas) => Assert.Contains("sigmas",
        Assert.Throws<DiffusionRequestException>(() =>
            SchedulerGoldens.FromJson(Sdxl).CreateSchedule(new ScheduleRequest { Sigmas = sigmas })).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 1000.0, 3.0 })]
    [InlineData(new[] { 3.0, -1.0 })]
    [InlineData(new[] { 3.0, 5.0 })]
    [InlineData(new[] { 5.0, 5.0 })]
    [InlineData(new[] { 5.5 })]
    [InlineData(new[] { double.NaN })]
    public void CustomTimesteps_ThatDoNotFall_AreRefused(double[] timesteps)
    {
        foreach (string name in new[] { "euler", "heun", "dpmpp_2m", "lcm" })
            Assert.Contains("timesteps", Assert.Throws<DiffusionRequestException>(
                () => SchedulerGoldens.FromJson(Sdxl, name).CreateSchedule(new ScheduleRequest { Timesteps = timesteps })).Message,
                    StringComparison.Ordinal);
    }

    [Fact]
    public void CreateSchedule_CustomTablesThatDiffusersLacks_AreRefused()
    {
        foreach (string name in new[]
        {
            "euler_a", "ddim", "pndm", "lms", "unipc", "euler_karras", "heun_karras", "dpmpp_2m_karras", "dpm2", "dpmpp_sde", "deis",
            "sa_solver", "ipndm", "edm_euler", "flow_euler", "flow_heun",
        })
            Assert.Throws<DiffusionRequestException>(() =>
                SchedulerGoldens.FromJson(Sdxl, name).CreateSchedule(new ScheduleRequest { Timesteps = [900, 400] }));
        foreach (string name in new[]
        {
            "euler_a", "ddim", "ddpm", "pndm", "heun", "lms", "unipc", "dpmpp_2m", "lcm", "tcd", "dpm2", "dpmpp_sde", "dpmpp_singlestep",
            "deis", "sa_solver", "ipndm", "edm_euler", "flow_euler", "flow_heun",
        })
            Assert.Throws<DiffusionRequestException>(() =>
                SchedulerGoldens.FromJson(Sdxl, name).CreateSchedule(new ScheduleRequest { Sigmas = [10, 1, 0] }));
    }

    [Fact]
    public void CreateSchedule_HeunsCustomTimesteps_AreEvaluatedTwiceButTheFirst() =>
        Assert.Equal([900, 400, 400, 50, 50],
            SchedulerGoldens.FromJson(Sdxl, "heun").CreateSchedule(new ScheduleRequest { Timesteps = [900, 400, 50] }).Timesteps);

    [Fact]
    public void WriteStep_DisabledCorrector_KeepsTheSampleInThoseSteps()
    {
        // the step into evaluation 2 is not corrected; evaluation 0 has none to correct
        var schedule = SchedulerGoldens.FromJson("{\"disable_corrector\": [1]}", "unipc").CreateSchedule(5);
        var begin = Slot.History(schedule.HistorySlots - 1);
        Assert.Equal([false, true, false, true, true], Enumerable.Range(0, 5).Select(i => schedule.Step(i).Instructions
            .OfType<LinearCombinationInstruction>().Any(c => c.Target == begin && c.Terms.Length > 1)));
    }

    [Fact]
    public void EpsilonPrediction_AtZeroSnr_IsRefused()
    {
        const string json = """{"rescale_betas_zero_snr": true, "timestep_spacing": "trailing", "clip_sample": false}""";
        foreach (string name in new[] { "ddim", "lcm" })
            Assert.Contains("zero SNR",
                Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson(json, name).CreateSchedule(10)).Message,
                    StringComparison.Ordinal);
    }

    [Fact]
    public void Schedule_StepOutsideItsRange_Throws()
    {
        var schedule = SchedulerGoldens.FromJson(Sdxl).CreateSchedule(10).BeginningAt(4);
        Assert.NotNull(schedule.Step(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.Step(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.Step(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.InputScale(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.BeginningAt(10));
        var heun = SchedulerGoldens.FromJson("{}", "heun").CreateSchedule(10);
        Assert.NotNull(heun.BeginningAt(4).Step(4));
        Assert.Contains("begin at an even one", Assert.Throws<DiffusionRequestException>(() => heun.BeginningAt(3)).Message,
            StringComparison.Ordinal);
        var rungeKutta = SchedulerGoldens.FromJson("{}", "pndm").CreateSchedule(10);
        Assert.Contains("skip_prk_steps", Assert.Throws<DiffusionRequestException>(() => rungeKutta.BeginningAt(4)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Step_DuringARun_AllocatesNothing()
    {
        var schedule = SchedulerGoldens.FromJson(Sdxl, "dpmpp_2m").CreateSchedule(20);
        Walk(schedule);
        long before = GC.GetAllocatedBytesForCurrentThread();
        double sum = Walk(schedule);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(double.IsFinite(sum));

        static double Walk(Schedule schedule)
        {
            double sum = 0;
            for (int i = 0; i < schedule.Timesteps.Count; i++)
            {
                sum += schedule.InputScale(i) + schedule.Timesteps[i];
                foreach (var instruction in schedule.Step(i).Instructions)
                    if (instruction is LinearCombinationInstruction combination)
                        foreach (var term in combination.Terms) sum += term.Coefficient;
            }

            return sum;
        }
    }
}
