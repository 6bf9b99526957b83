using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Schedulers against cases with known exact solutions, for settings without recorded runs. The model is perfect: it knows the distribution
/// of the data.
/// </summary>
public class SchedulerTruthTests
{
    private const string Betas =
        "\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"clip_sample\": false, \"set_alpha_to_one\": "
            + "true";

    public static TheoryData<string, string> AnySettings => new()
    {
        { "euler", "\"prediction_type\": \"epsilon\"" },
        { "euler", "\"prediction_type\": \"v_prediction\", \"use_karras_sigmas\": true" },
        { "euler", "\"prediction_type\": \"sample\", \"use_exponential_sigmas\": true" },
        { "euler_a", "\"prediction_type\": \"epsilon\"" },
        { "euler_a", "\"prediction_type\": \"v_prediction\"" },
        { "heun", "\"prediction_type\": \"epsilon\"" },
        { "heun", "\"prediction_type\": \"v_prediction\", \"use_karras_sigmas\": true" },
        { "heun", "\"prediction_type\": \"sample\", \"use_exponential_sigmas\": true" },
        { "lms", "\"prediction_type\": \"epsilon\"" },
        { "lms", "\"prediction_type\": \"v_prediction\", \"use_karras_sigmas\": true" },
        { "lms", "\"prediction_type\": \"sample\", \"use_beta_sigmas\": true" },
        { "ddim", "\"prediction_type\": \"epsilon\"" },
        { "ddim", "\"prediction_type\": \"sample\", \"timestep_spacing\": \"trailing\"" },
        { "ddim", "\"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"" },
        { "lcm", "\"prediction_type\": \"epsilon\", \"timestep_scaling\": 1e9" },
        { "ddpm", "\"prediction_type\": \"epsilon\", \"beta_schedule\": \"sigmoid\", \"variance_type\": \"fixed_small_log\"" },
        { "ddpm", "\"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"" },
        { "dpm2", "\"prediction_type\": \"epsilon\"" },
        { "dpm2_a", "\"prediction_type\": \"v_prediction\", \"use_beta_sigmas\": true" },
        { "dpmpp_sde", "\"prediction_type\": \"epsilon\"" },
        { "dpmpp_sde", "\"prediction_type\": \"v_prediction\", \"use_karras_sigmas\": true" },
        { "dpmpp_singlestep", "\"solver_order\": 3, \"solver_type\": \"heun\", \"prediction_type\": \"v_prediction\"" },
        {
            "DPMSolverSinglestepScheduler",
            "\"algorithm_type\": \"sde-dpmsolver++\", \"solver_order\": 3, \"prediction_type\": \"epsilon\""
        },
        { "flow_euler", "\"prediction_type\": \"flow_prediction\", \"shift\": 3, \"shift_terminal\": 0.1" },
        { "flow_heun", "\"prediction_type\": \"flow_prediction\", \"shift\": 3" },
        { "unipc", "\"prediction_type\": \"epsilon\"" },
        { "unipc", "\"prediction_type\": \"v_prediction\", \"solver_order\": 3, \"solver_type\": \"bh1\"" },
        { "unipc", "\"prediction_type\": \"sample\", \"disable_corrector\": [0, 1], \"use_karras_sigmas\": true" },
        { "unipc", "\"prediction_type\": \"flow_prediction\", \"use_flow_sigmas\": true, \"flow_shift\": 3" },
        { "dpmpp_2m", "\"solver_order\": 1, \"prediction_type\": \"flow_prediction\", \"use_flow_sigmas\": true, \"flow_shift\": 3" },
        { "dpmpp_2m", "\"prediction_type\": \"flow_prediction\", \"use_flow_sigmas\": true" },
        { "dpmpp_2m", "\"prediction_type\": \"epsilon\", \"use_lu_lambdas\": true, \"solver_type\": \"heun\"" },
        { "dpmpp_2m", "\"prediction_type\": \"v_prediction\", \"lambda_min_clipped\": -1.5" },
        { "dpmpp_2m_sde", "\"prediction_type\": \"v_prediction\", \"solver_type\": \"heun\"" },
        { "dpmpp_2m_sde", "\"prediction_type\": \"sample\", \"solver_order\": 3" },
    };

    [Theory]
    [MemberData(nameof(AnySettings))]
    public void Steps_DataInOnePoint_EndThere(string name, string settings)
    {
        const double point = 1.7;
        // 20 divides 1000: DDIM ends at x0
        var schedule = SchedulerGoldens.FromJson($"{{{Betas}, {settings}}}", name)
            .CreateSchedule(new ScheduleRequest { Steps = 20, Eta = 0.6 });
        var random = new Random(5);
        double end = Run(schedule, settings, (x, alpha, sigma) => point, () => random.NextDouble() * 4 - 2, start: 0.8)[^1];
        Assert.Equal(point, end, 1e-4); // float32 sigmas; LCM's boundary condition leaves about 1e-9
    }

    [Theory]
    [InlineData("dpmsolver++", "midpoint", 1, 0.9)]
    [InlineData("dpmsolver++", "midpoint", 2, 1.8)]
    [InlineData("dpmsolver++", "heun", 2, 1.8)]
    [InlineData("dpmsolver++", "midpoint", 3, 1.8)] // see DPMSolver.Quadratic
    [InlineData("dpmsolver", "midpoint", 1, 0.9)]
    [InlineData("dpmsolver", "midpoint", 2, 1.8)]
    [InlineData("dpmsolver", "heun", 2, 1.8)]
    [InlineData("dpmsolver", "midpoint", 3, 1.8)]
    [InlineData("sde-dpmsolver++", "midpoint", 1, 0.9)]
    [InlineData("sde-dpmsolver++", "midpoint", 2, 1.8)]
    [InlineData("sde-dpmsolver++", "heun", 2, 1.8)]
    [InlineData("sde-dpmsolver", "midpoint", 1, 0.9)]
    [InlineData("sde-dpmsolver", "midpoint", 2, 1.8)]
    [InlineData("sde-dpmsolver", "heun", 2, 1.8)]
    public void DPMSolver_HalvedSteps_HasItsOrder(string algorithm, string solver, int order, double atLeast)
    {
        // With a model that returns cos λ for any input, the exact solution is an integral over λ, computed by Simpson's rule.
        bool data = algorithm.EndsWith("++", StringComparison.Ordinal);
        int times = algorithm.StartsWith("sde", StringComparison.Ordinal) ? 2 : 1;
        string settings = $"\"algorithm_type\": \"{algorithm}\", \"solver_type\": \"{solver}\", \"solver_order\": {order}, "
            + $"\"prediction_type\": \"{(data ? "sample" : "epsilon")}\", \"final_sigmas_type\": \"sigma_min\", \"use_lu_lambdas\": true";
        double coarse = Error(40), fine = Error(80);
        double found = Math.Log2(coarse / fine);
        Assert.True(found >= atLeast, $"order {found:g3}, errors {coarse:g3} and {fine:g3}");

        double Error(int steps)
        {
            var schedule = SchedulerGoldens.FromJson($"{{{Betas}, {settings}}}", "DPMSolverMultistepScheduler").CreateSchedule(steps);
            var run = new StepRunner(schedule, 1, single: false);
            run[Slot.Sample] = [0.3];
            run[Slot.Noise] = [0];
            for (int i = 0; i < steps - 1; i++) // the last step of this table changes nothing
            {
                run[Slot.ModelOutput] = [Math.Cos(Lambda(schedule, i))];
                run.Step(i);
            }

            return Math.Abs(run[Slot.Sample][0] - Exact(schedule, steps - 1));
        }

        double Exact(Schedule schedule, int last)
        {
            // d(x/σ)/dλ = e^λ·x0 for the data ODE, d(x/α)/dλ = −e^(−λ)·ε for the noise ODE; the mean of the SDEs moves twice as fast
            // relative to the ODE's rest.
            var (alpha0, sigma0) = schedule.AddNoise(0);
            var (alpha1, sigma1) = schedule.AddNoise(last);
            double from = Lambda(schedule, 0), to = Lambda(schedule, last), h = (to - from) / 20000, sum = 0;
            for (int i = 0; i <= 20000; i++)
            {
                double lambda = from + i * h, weight = i is 0 or 20000 ? 1 : i % 2 == 1 ? 4 : 2;
                sum += weight * Math.Exp(data ? times * (lambda - to) : -(lambda - from)) * Math.Cos(lambda) * h / 3;
            }

            return data
                ? Math.Exp(-(times - 1) * (to - from)) * sigma1 / sigma0 * 0.3 + times * alpha1 * sum
                : alpha1 / alpha0 * 0.3 - times * alpha1 * Math.Exp(-from) * sum;
        }

        static double Lambda(Schedule schedule, int index) => Math.Log(schedule.AddNoise(index).Sample / schedule.AddNoise(index).Noise);
    }

    [Theory]
    [InlineData("euler_karras", "", 0.9)]
    [InlineData("heun_karras", "", 1.8)]
    [InlineData("dpm2_karras", "", 1.8)]
    [InlineData("deis_karras", "\"solver_order\": 1", 0.9)]
    [InlineData("deis_karras", "\"solver_order\": 2", 1.8)]
    [InlineData("deis_karras", "\"solver_order\": 3", 1.8)] // its first step is of first order
    [InlineData("dpmpp_singlestep_karras", "", 1.8)]
    [InlineData("lms_karras", "", 1.8)] // it begins with Euler's step, whose error is of second order
    [InlineData("unipc_karras", "\"solver_order\": 1", 1.8)] // the corrector adds an order
    [InlineData("unipc_karras", "\"solver_order\": 1, \"solver_type\": \"bh1\"", 1.8)]
    [InlineData("unipc_karras", "\"solver_order\": 2", 2.7)]
    [InlineData("unipc_karras", "\"solver_order\": 2, \"solver_type\": \"bh1\"", 2.7)]
    [InlineData("unipc_karras", "\"solver_order\": 3", 2.7)] // its first step is of third order
    [InlineData("unipc_karras", "\"solver_order\": 1, \"predict_x0\": false, \"final_sigmas_type\": \"sigma_min\"", 1.8)]
    [InlineData("unipc_karras", "\"solver_order\": 2, \"predict_x0\": false, \"final_sigmas_type\": \"sigma_min\"", 2.7)]
    [InlineData("unipc_karras", "\"solver_order\": 3, \"predict_x0\": false, \"final_sigmas_type\": \"sigma_min\"", 2.7)]
    public void Steps_HalvedOnNormalData_HaveTheirOrder(string name, string more, double atLeast)
    {
        // For data with standard deviation 0.5 the model knows E[x0 | x], and x is proportional to its standard deviation along the ODE.
        string settings = $"\"prediction_type\": \"v_prediction\"{(more.Length > 0 ? $", {more}" : "")}";
        double coarse = Error(40), fine = Error(80), found = Math.Log2(coarse / fine);
        Assert.True(found >= atLeast, $"order {found:g3}, errors {coarse:g3} and {fine:g3}");

        double Error(int steps)
        {
            var schedule = SchedulerGoldens.FromJson($"{{{Betas}, {settings}}}", name).CreateSchedule(steps);
            // the sample at the last evaluation: the step to σ = 0 is of first order
            double end = Run(schedule, settings, (x, alpha, sigma) => alpha * x / (alpha * alpha + 4 * sigma * sigma), () => 0, 0.8)[^2];
            double exact = 0.8 * schedule.InitNoiseSigma * Deviation(schedule.Timesteps.Count - 1) / Deviation(0);
            return Math.Abs(end - exact);

            double Deviation(int index) => double.Hypot(schedule.AddNoise(index).Sample / 2, schedule.AddNoise(index).Noise);
        }
    }

    /// <summary>
    /// Classes without recorded runs: the sample at the end, as the step functions of diffusers 0.32.2 compute it in double with the
    /// recorded sigmas of another class. The model returns cos(0.3·i + 0.1), the i-th draw is sin(1.7·i + 0.5), and the start is 0.8. For
    /// DPMSolverSDE the draws are the increments of the path in the order of the evaluations.
    /// </summary>
    [Theory]
    [InlineData("SASolverScheduler", 10, -1.4870605466935394, "\"timestep_spacing\": \"linspace\"")]
    [InlineData("SASolverScheduler", 10, -1.8786782892546567, "\"predictor_order\": 3, \"corrector_order\": 4")]
    [InlineData("SASolverScheduler", 10, 85.77681035585292,
        "\"predictor_order\": 4, \"corrector_order\": 1, \"lower_order_final\": false")]
    [InlineData("SASolverScheduler", 10, -1.770531970199611,
        "\"algorithm_type\": \"noise_prediction\", \"predictor_order\": 3, \"corrector_order\": 3")]
    [InlineData("SASolverScheduler", 10, 0.7140660495670216,
        "\"algorithm_type\": \"noise_prediction\", \"use_karras_sigmas\": true")]
    [InlineData("SASolverScheduler", 10, 1.3794226494935886, "\"prediction_type\": \"v_prediction\", \"use_karras_sigmas\": true")]
    [InlineData("IPNDMScheduler", 1, 0.0, "\"num_train_timesteps\": 1000")]
    [InlineData("IPNDMScheduler", 6, -0.0120485571431009, "\"num_train_timesteps\": 1000")]
    [InlineData("IPNDMScheduler", 20, 1.0653426871435516, "\"num_train_timesteps\": 1000")]
    [InlineData("DPMSolverSDEScheduler", 10, 4.237607286859138, "\"timestep_spacing\": \"linspace\"")]
    [InlineData("DPMSolverSDEScheduler", 10, 0.26571510507620544,
        "\"timestep_spacing\": \"trailing\", \"prediction_type\": \"v_prediction\"")]
    public void Steps_ClassWithoutRecordedRuns_EqualThoseOfDiffusers(string name, int steps, double expected, string settings)
    {
        var schedule = SchedulerGoldens.FromJson($"{{{Betas}, {settings}}}", name).CreateSchedule(steps);
        var run = new StepRunner(schedule, 1, single: false) { [Slot.Sample] = [0.8 * schedule.InitNoiseSigma] };
        int draws = 0;
        for (int i = 0; i < schedule.Timesteps.Count; i++)
        {
            run[Slot.ModelOutput] = [Math.Cos(0.3 * i + 0.1)];
            if (schedule.Step(i).NeedsNoise) run[Slot.Noise] = [Math.Sin(1.7 * draws++ + 0.5)];
            run.Step(i);
        }

        Assert.Equal(expected, run[Slot.Sample][0], 1e-5 * Math.Max(Math.Abs(expected), 1)); // float32 tables
    }

    [Fact]
    public void Steps_IpndmFromTheMiddle_EndAtThePoint()
    {
        // from evaluation 0, where there is no signal, diffusers' first step brings none
        const double point = 1.7;
        var schedule = SchedulerGoldens.FromJson("{}", "ipndm").CreateSchedule(20).BeginningAt(5);
        var run = new StepRunner(schedule, 1, single: false) { [Slot.Sample] = [0.3] };
        for (int i = 5; i < 20; i++)
        {
            var (alpha, beta) = schedule.AddNoise(i);
            run[Slot.ModelOutput] = [(alpha * (run[Slot.Sample][0] - alpha * point) / beta) - beta * point];
            run.Step(i);
        }

        Assert.Equal(point, run[Slot.Sample][0], 1e-12);
    }

    [Fact]
    public void Steps_WithClipping_BoundX0AndItsEpsilon()
    {
        foreach (string name in new[] { "dpmpp_2m", "dpmpp_2m_sde", "ddim", "lcm", "DPMSolverMultistepScheduler" })
            foreach (string final in new[] { "zero", "sigma_min" })
            {
                string noise = name == "DPMSolverMultistepScheduler" ? ", \"algorithm_type\": \"dpmsolver\"" : "";
                if (noise.Length > 0 && final == "zero") continue;
                string settings = $"\"thresholding\": true, \"sample_max_value\": 1.5, \"final_sigmas_type\": \"{final}\"{noise}";
                var schedule = SchedulerGoldens.FromJson($"{{{Betas}, {settings}}}", name)
                    .CreateSchedule(new ScheduleRequest { Steps = 20, UseClippedModelOutput = true });
                // the data are at 9, the threshold makes it 1
                double end = Run(schedule, settings, (x, alpha, sigma) => 9, () => 0.1, start: 1)[^1];
                var (alpha, sigma) = final == "zero" ? (1, 0) : schedule.AddNoise(19);
                Assert.InRange(end, alpha - 4 * sigma - 0.05, alpha + 4 * sigma + 0.05);
            }
    }

    [Fact]
    public void BetaQuantile_AnyShare_IsTheInverse()
    {
        foreach (double p in new[] { 1e-9, 0.001, 0.1, 0.25, 0.5, 0.8, 0.999 })
        {
            Assert.Equal(p, BetaDistribution.Share(BetaDistribution.Quantile(p, 0.6, 0.6), 0.6, 0.6), 1e-12);
            Assert.Equal(Math.Pow(Math.Sin(Math.PI / 2 * p), 2), BetaDistribution.Quantile(p, 0.5, 0.5), 1e-12); // the arcsine distribution
            Assert.Equal(Math.Sqrt(p), BetaDistribution.Quantile(p, 2, 1), 1e-12);
        }

        Assert.Equal((0, 1), (BetaDistribution.Quantile(0, 0.6, 0.6), BetaDistribution.Quantile(1, 0.6, 0.6)));
    }

    /// <summary>Runs a schedule with a model that knows E[x0 | x]; returns the samples after every evaluation.</summary>
    private static double[] Run(Schedule schedule, string settings, Func<double, double, double, double> clean, Func<double> noise,
        double start)
    {
        var run = new StepRunner(schedule, 1, single: false);
        var samples = new double[schedule.Timesteps.Count];
        run[Slot.Sample] = [start * schedule.InitNoiseSigma];
        for (int i = 0; i < samples.Length; i++)
        {
            double x = run[Slot.Sample][0];
            var (alpha, sigma) = schedule.AddNoise(i);
            // between a step's begin and end only the scale of the input tells σ
            if (schedule.InputScale(i) is < 1 and var scale) sigma = Math.Sqrt(1 / (scale * scale) - 1);
            double norm = Math.Sqrt(alpha * alpha + sigma * sigma);
            double x0 = clean(x, alpha, sigma);
            run[Slot.ModelOutput] =
            [
                settings.Contains("flow_prediction", StringComparison.Ordinal) ? (x - alpha * x0) / sigma - x0
                : settings.Contains("v_prediction", StringComparison.Ordinal) ? (alpha * (x - alpha * x0) / sigma - sigma * x0) / norm
                : settings.Contains("\"sample\"", StringComparison.Ordinal) ? x0
                : (x - alpha * x0) / sigma,
            ];
            if (schedule.Step(i).NeedsNoise) run[Slot.Noise] = [noise()];
            run.Step(i);
            samples[i] = run[Slot.Sample][0];
        }

        return samples;
    }
}
