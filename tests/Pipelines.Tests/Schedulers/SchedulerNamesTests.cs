using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The names of sampling methods in A1111, ComfyUI and common use.</summary>
public sealed class SchedulerNamesTests
{
    /// <summary>Name, class, and settings as name=JSON.</summary>
    [Theory]
    [InlineData("Euler a", "EulerAncestralDiscreteScheduler", ""), InlineData("euler_ancestral", "EulerAncestralDiscreteScheduler", "")]
    [InlineData("Euler", "EulerDiscreteScheduler", ""), InlineData("EULER KARRAS", "EulerDiscreteScheduler", "use_karras_sigmas=true")]
    [InlineData("DPM++ 2M", "DPMSolverMultistepScheduler", "algorithm_type=\"dpmsolver++\" solver_order=2")]
    [InlineData("DPM++ 2M Karras", "DPMSolverMultistepScheduler", "algorithm_type=\"dpmsolver++\" solver_order=2 use_karras_sigmas=true")]
    [InlineData("DPM++ 2M SDE Karras", "DPMSolverMultistepScheduler",
        "algorithm_type=\"sde-dpmsolver++\" solver_order=2 use_karras_sigmas=true")]
    [InlineData("DPM++ 2M SDE Exponential", "DPMSolverMultistepScheduler",
        "algorithm_type=\"sde-dpmsolver++\" solver_order=2 use_exponential_sigmas=true")]
    [InlineData("dpmpp_2m_sde_gpu", "DPMSolverMultistepScheduler", "algorithm_type=\"sde-dpmsolver++\" solver_order=2")]
    [InlineData("dpmpp-2m sgm_uniform", "DPMSolverMultistepScheduler",
        "algorithm_type=\"dpmsolver++\" solver_order=2 timestep_spacing=\"trailing\"")]
    [InlineData("Heun", "HeunDiscreteScheduler", ""), InlineData("heun karras", "HeunDiscreteScheduler", "use_karras_sigmas=true")]
    [InlineData("LMS", "LMSDiscreteScheduler", ""), InlineData("LMS Karras", "LMSDiscreteScheduler", "use_karras_sigmas=true")]
    [InlineData("UniPC", "UniPCMultistepScheduler", ""), InlineData("uni_pc_bh2", "UniPCMultistepScheduler", "solver_type=\"bh2\"")]
    [InlineData("UniPC Karras", "UniPCMultistepScheduler", "use_karras_sigmas=true")]
    [InlineData("PLMS", "PNDMScheduler", "skip_prk_steps=true"), InlineData("LCM", "LCMScheduler", ""),
        InlineData("DDIM", "DDIMScheduler", "")]
    [InlineData("DPM++ SDE Karras", "DPMSolverSDEScheduler", "use_karras_sigmas=true")]
    [InlineData("dpmpp_sde_gpu", "DPMSolverSDEScheduler", "")]
    [InlineData("DPM2", "KDPM2DiscreteScheduler", ""), InlineData("dpm_2", "KDPM2DiscreteScheduler", "")]
    [InlineData("DPM2 a Karras", "KDPM2AncestralDiscreteScheduler", "use_karras_sigmas=true"),
        InlineData("dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler", "")]
    [InlineData("DPM++ 3M SDE", "DPMSolverMultistepScheduler", "algorithm_type=\"sde-dpmsolver++\" solver_order=3")]
    [InlineData("ddpm", "DDPMScheduler", ""), InlineData("uni_pc", "UniPCMultistepScheduler", ""), InlineData("tcd", "TCDScheduler", "")]
    [InlineData("DEIS Karras", "DEISMultistepScheduler", "use_karras_sigmas=true")]
    [InlineData("sa_solver", "SASolverScheduler", "algorithm_type=\"data_prediction\"")]
    public void Find_KnownName_GivesClassAndSettings(string name, string className, string settings)
    {
        var found = Assert.NotNull(SchedulerNames.Find(name));
        Assert.Equal((className, settings), (found.Class, string.Join(' ', found.Settings.Select(s => $"{s.Key}={s.Value.GetRawText()}"))));
        Assert.Equal(className, SchedulerGoldens.FromJson("""{"_class_name": "DDIMScheduler"}""", name).Name);
    }

    [Theory]
    [InlineData("DPM++ 2S a"), InlineData("DPM fast"), InlineData("Restart")]
    [InlineData("Euler a Karras"), InlineData("LCM karras"), InlineData(""),
        InlineData("dpmpp_2m_waves")]
    public void Find_UnknownName_IsNull(string name) => Assert.Null(SchedulerNames.Find(name));

    [Fact]
    public void IsKnown_EveryListedName_IsTrue() =>
        Assert.All(SchedulerNames.All.Concat(
            SchedulerNames.Table.SelectMany(row => row.Elsewhere.Prepend(row.Name)
                .SelectMany(n => row.Spacings.Select(s => $"{n} {s}").Append(n)))),
                name => Assert.True(SchedulerNames.IsKnown(name), name));

    [Theory]
    [InlineData("eulr_a", "euler_a"), InlineData("DPM+ 2M Karas", "dpmpp_2m_karras"),
        InlineData("EulerDiscretScheduler", "EulerDiscreteScheduler"), InlineData("quetzalcoatl", null)]
    public void Unknown_NearAKnownName_SuggestsIt(string name, string? guess)
    {
        string message = SchedulerNames.Unknown(name);
        Assert.Equal(guess is not null, message.Contains("Did you mean", StringComparison.Ordinal));
        if (guess is not null) Assert.EndsWith($"Did you mean '{guess}'?", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("steps", "steps", 0), InlineData("stpes", "steps", 1), InlineData("step", "steps", 1), InlineData("stebs", "steps", 1),
        InlineData("", "abc", 3), InlineData("ca", "abc", 3)]
    public void Distance_TwoWords_CountsLetters(string a, string b, int expected) => Assert.Equal(expected, NearestName.Distance(a, b));
}
