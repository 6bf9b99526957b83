using System.Globalization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// JSON's null in scheduler_config.json is Python's None, not the default; and too many steps for a schedule are refused with the largest
/// possible number.
/// </summary>
public class SchedulerNullTests
{
    [Theory]
    [InlineData("ddim", "set_alpha_to_one", "null", "false")]
    [InlineData("ddim", "clip_sample", "null", "false")]
    [InlineData("ddim", "rescale_betas_zero_snr", "null", "false")]
    [InlineData("ddim", "trained_betas", "null", null)]
    [InlineData("ddpm", "variance_type", "null", "\"fixed_small\"")]
    [InlineData("edm_euler", "sigma_min", "null", "0.002")] // diffusers fails
    [InlineData("edm_euler", "sigma_max", "null", null)]
    [InlineData("pndm", "skip_prk_steps", "null", "false")]
    [InlineData("euler", "timestep_type", "null", "\"discrete\"")]
    [InlineData("euler", "sigma_min", "null", null)]
    [InlineData("euler", "use_karras_sigmas", "null", "false")]
    [InlineData("lms_karras", "sigma_max", "3", null)] // only of the other formulas
    [InlineData("lms", "rescale_betas_zero_snr", "true", null)] // LMS does not rescale
    [InlineData("unipc", "lambda_min_clipped", "-1", null)] // UniPC does not cut the table
    [InlineData("unipc", "solver_type", "\"midpoint\"", "\"bh2\"")]
    [InlineData("unipc", "solver_p", "null", null)]
    [InlineData("dpmpp_2m", "lower_order_final", "null", "false")]
    [InlineData("dpmpp_2m", "euler_at_final", "null", "false")]
    [InlineData("dpmpp_2m", "variance_type", "null", null)]
    [InlineData("dpmpp_2m", "flow_shift", "null", null)] // only of use_flow_sigmas
    [InlineData("dpmpp_2m", "sample_max_value", "null", null)] // only of thresholding
    [InlineData("lcm", "clip_sample_range", "null", null)] // only of clip_sample
    [InlineData("heun", "dynamic_thresholding_ratio", "3", null)] // Heun does not threshold
    [InlineData("heun", "rescale_betas_zero_snr", "true", null)]  // nor rescale
    [InlineData("euler", "steps_offset", "null", "0")] // only of leading
    public void Constructor_NullSetting_MeansWhatNoneMeans(string name, string key, string value, string? same)
    {
        const string Start = """{"clip_sample": false""";
        string start = key == "clip_sample" ? "{\"beta_start\": 0.0001" : Start;
        string expected = same is null ? start + "}" : $"{start}, \"{key}\": {same}}}";
        Assert.Equal(Describe(expected, name), Describe($"{start}, \"{key}\": {value}}}", name));
    }

    [Theory]
    [InlineData("ddim", "set_alpha_to_one")]
    [InlineData("ddim", "clip_sample")]
    [InlineData("dpmpp_3m", "lower_order_final")]
    public void Constructor_NullSetting_IsNotTheDefault(string name, string key)
    {
        string other = key == "clip_sample" ? "beta_start\": 0.0001" : "clip_sample\": false";
        Assert.NotEqual(Describe($"{{\"{other}}}", name), Describe($"{{\"{other}, \"{key}\": null}}", name));
    }

    [Theory]
    [InlineData("ddim", "steps_offset")]
    [InlineData("ddim", "num_train_timesteps")]
    [InlineData("ddim", "beta_start")]
    [InlineData("ddim", "beta_schedule")]
    [InlineData("ddim", "prediction_type")]
    [InlineData("ddim", "timestep_spacing")]
    [InlineData("ddim", "clip_sample_range")]
    [InlineData("dpmpp_2m", "final_sigmas_type")]
    [InlineData("dpmpp_2m", "solver_type")]
    [InlineData("dpmpp_2m", "lambda_min_clipped")]
    [InlineData("euler", "interpolation_type")]
    [InlineData("lcm", "original_inference_steps")]
    [InlineData("unipc", "disable_corrector")]
    public void Null_WhereNoneIsOfNoUse_IsRefused(string name, string key) => Assert.Contains($"'{key}' is null; it must be",
        Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson($"{{\"{key}\": null}}", name)).Message, StringComparison.Ordinal);

    [Fact]
    public void Constructor_DynamicShifting_IsRefusedByName() => Assert.Contains("'use_dynamic_shifting' is true",
        Assert.Throws<ModelFileException>(() => SchedulerGoldens.FromJson("""{"use_dynamic_shifting": true}""", "dpmpp_2m")).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("dpmpp_2m", """{"timestep_spacing": "leading"}""", 1000, 999)]
    [InlineData("dpmpp_2m", """{"timestep_spacing": "leading", "steps_offset": 1}""", 1000, 998)]
    [InlineData("dpmpp_3m", """{"timestep_spacing": "linspace"}""", 1000, 999)]
    [InlineData("dpmpp_2m_sde", """{"timestep_spacing": "leading", "num_train_timesteps": 50}""", 50, 49)]
    [InlineData("unipc", """{"timestep_spacing": "leading", "steps_offset": 1}""", 1000, 998)]
    [InlineData("ddim", """{"steps_offset": 1}""", 1000, 999)]
    [InlineData("plms", """{"steps_offset": 1}""", 1000, 999)]
    public void CreateSchedule_TooManySteps_NamesTheMost(string name, string config, int steps, int most)
    {
        var scheduler = SchedulerGoldens.FromJson(config, name);
        string message = Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(steps)).Message;
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"steps is {steps};"), message, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"At most {most} work"), message, StringComparison.Ordinal);
        Assert.Throws<DiffusionRequestException>(() => scheduler.CreateSchedule(most + 1));
        Assert.True(scheduler.CreateSchedule(most).Timesteps.Count >= most);
    }

    /// <summary>The tables and steps of a schedule, as text.</summary>
    private static string Describe(string json, string name)
    {
        var schedule = SchedulerGoldens.FromJson(json, name).CreateSchedule(6);
        return string.Join(' ', schedule.Timesteps) + "; " + string.Join(' ', schedule.Sigmas) + "; " + string.Join("; ",
            Enumerable.Range(0, schedule.Timesteps.Count).SelectMany(i => schedule.Step(i).Instructions).Select(i => i switch
            {
                LinearCombinationInstruction combination => $"{combination.Target} = {string.Join(" + ", combination.Terms)}",
                _ => i.ToString(),
            }));
    }
}
