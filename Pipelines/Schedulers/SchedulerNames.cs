using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Short names of sampling methods, including those of A1111 and ComfyUI, with diffusers' class and settings for each. Case, spaces, dashes
/// and a trailing <c>_gpu</c> are ignored, and <c>DPM++</c> (or <c>DPM+</c>) is <c>dpmpp</c>; a noise schedule may follow, as in
/// <c>DPM++ 2M Karras</c>.
/// </summary>
public static class SchedulerNames
{
    private static readonly Sampler[] Samplers =
    [
        new("ddim", ["DDIM"], nameof(DDIMScheduler), "{}",
            "Deterministic, or with noise by eta; simple and widely used as a baseline."),
        new("ddpm", [], nameof(DDPMScheduler), "{}",
            "The original method, with noise in every step; needs many steps."),
        new("deis", ["DEIS"], nameof(DEISMultistepScheduler), "{}",
            "Exponential integrator of noise predictions, of second order; good with 10 to 20 steps."),
        new("dpm2", ["DPM2", "dpm_2"], nameof(KDPM2DiscreteScheduler), "{}",
            "Second order with two evaluations per step, by the slope in the middle."),
        new("dpm2_a", ["DPM2 a", "dpm_2_ancestral"], nameof(KDPM2AncestralDiscreteScheduler), "{}",
            "As dpm2, with noise in every step; more variety, no convergence."),
        new("dpmpp_2m", ["DPM++ 2M"], nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2}""",
            "Second order with one evaluation per step; a good default with 20 steps, with karras."),
        new("dpmpp_2m_sde", ["DPM++ 2M SDE"], nameof(DPMSolverMultistepScheduler),
            """{"algorithm_type": "sde-dpmsolver++", "solver_order": 2}""",
            "As dpmpp_2m, with noise in every step; more detail, more steps."),
        new("dpmpp_3m", ["DPM++ 3M"], nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 3}""",
            "As dpmpp_2m, of third order; for small guidance scales."),
        new("dpmpp_3m_sde", ["DPM++ 3M SDE"], nameof(DPMSolverMultistepScheduler),
            """{"algorithm_type": "sde-dpmsolver++", "solver_order": 3}""", "As dpmpp_2m_sde, of third order; for 25 steps and more."),
        new("dpmpp_sde", ["DPM++ SDE"], nameof(DPMSolverSDEScheduler), "{}",
            "Second order with two evaluations per step and noise; good with few steps."),
        new("dpmpp_singlestep", [], nameof(DPMSolverSinglestepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2}""",
            "As dpmpp_2m, in groups of steps that each begin anew."),
        new("edm_dpmpp_2m", [], nameof(EDMDPMSolverMultistepScheduler), "{}",
            "dpmpp_2m for models in EDM's formulation, such as Playground 2.5."),
        new("edm_euler", [], nameof(EDMEulerScheduler), "{}",
            "euler for models in EDM's formulation, such as Playground 2.5."),
        new("euler", ["Euler"], nameof(EulerDiscreteScheduler), "{}",
            "First order, deterministic; the default of SDXL."),
        new("euler_a", ["Euler a", "euler_ancestral"], nameof(EulerAncestralDiscreteScheduler), "{}",
            "As euler, with noise in every step; more variety, no convergence."),
        new("flow_euler", [], nameof(FlowMatchEulerDiscreteScheduler), "{}",
            "euler for models of rectified flow."),
        new("flow_heun", [], nameof(FlowMatchHeunDiscreteScheduler), "{}",
            "heun for models of rectified flow."),
        new("heun", ["Heun"], nameof(HeunDiscreteScheduler), "{}",
            "Second order with two evaluations per step, by the mean of the slopes at both ends."),
        new("ipndm", [], nameof(IPNDMScheduler), "{}",
            "Fourth order, for models that predict v and whose time goes from 1 to 0."),
        new("lcm", ["LCM"], nameof(LCMScheduler), "{}",
            "For models distilled as latent consistency models; 4 to 8 steps."),
        new("lms", ["LMS"], nameof(LMSDiscreteScheduler), "{}",
            "Linear multistep method of fourth order in sigma."),
        new("plms", ["PLMS"], nameof(PNDMScheduler), """{"skip_prk_steps": true}""",
            "Linear multistep method of fourth order; the default of Stable Diffusion 1."),
        new("pndm", [], nameof(PNDMScheduler), "{}",
            "As plms, with Runge-Kutta steps first unless the model's configuration skips them."),
        new("sa_solver", ["SA Solver"], nameof(SASolverScheduler), """{"algorithm_type": "data_prediction"}""",
            "Predictor and corrector with noise in the middle of the run; for 20 steps and more."),
        new("tcd", ["TCD"], nameof(TCDScheduler), "{}",
            "For models distilled as trajectory consistency models; eta sets the noise."),
        new("uni_pc_bh2", [], nameof(UniPCMultistepScheduler), """{"solver_type": "bh2"}""",
            "As unipc, with the solver bh2 whatever the configuration says."),
        new("unipc", ["UniPC", "uni_pc"], nameof(UniPCMultistepScheduler), "{}",
            "Predictor and corrector of second order; good with 10 steps."),
    ];

    // Noise schedules by their names in A1111 and ComfyUI, with the settings of diffusers that select them.
    private static readonly (string Name, string Key, string Settings)[] Spacings =
    [
        ("karras", "use_karras_sigmas", """{"use_karras_sigmas": true}"""),
        ("exponential", "use_exponential_sigmas", """{"use_exponential_sigmas": true}"""),
        ("beta", "use_beta_sigmas", """{"use_beta_sigmas": true}"""),
        ("sgm_uniform", "timestep_spacing", """{"timestep_spacing": "trailing"}"""),
        ("simple", "timestep_spacing", """{"timestep_spacing": "trailing"}"""),
    ];

    /// <summary>The short names without and with Karras' noise levels, the noise schedule used most.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Samplers.Select(s => s.Name)
        .Concat(Samplers.Where(s => Takes(s, Spacings[0].Key)).Select(s => $"{s.Name}_karras")).Order(StringComparer.Ordinal)];

    /// <summary>Every sampling method under its names.</summary>
    public static IEnumerable<NamedSampler> Table => Samplers.Select(s => new NamedSampler(s.Name, s.Elsewhere, s.Class,
        [.. Spacings.Where(p => Takes(s, p.Key)).Select(p => p.Name)], s.About));

    /// <summary>Whether a name is a short name or one of diffusers' class names.</summary>
    public static bool IsKnown(string name) =>
        Find(name) is not null || SchedulerCatalog.ClassNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The class and settings of a short name; null for an unknown name.</summary>
    internal static (string Class, IReadOnlyList<KeyValuePair<string, JsonElement>> Settings)? Find(string name)
    {
        string plain = Plain(name);
        foreach (var sampler in Samplers)
            foreach (string known in sampler.Elsewhere.Select(Plain).Prepend(sampler.Name))
            {
                if (plain == known) return (sampler.Class, Parse(sampler.Settings));
                if (!plain.StartsWith(known + "_", StringComparison.Ordinal)) continue;
                foreach (var spacing in Spacings)
                    if (plain[(known.Length + 1)..] == spacing.Name && Takes(sampler, spacing.Key))
                        return (sampler.Class, [.. Parse(sampler.Settings), .. Parse(spacing.Settings)]);
            }

        return null;
    }

    /// <summary>A sentence that lists the known names.</summary>
    internal static string Known => $"Known are {string.Join(", ", SchedulerCatalog.ClassNames)}; short names: {string.Join(", ", All)}.";

    /// <summary>The message for an unknown name, with the nearest known one.</summary>
    public static string Unknown(string name)
    {
        string? guess = NearestName.Of(Plain(name), All) ?? NearestName.Of(name, SchedulerCatalog.ClassNames);
        return $"\"{OutsideText.Line(name, 60)}\" is not known. {Known}{(guess is null ? "" : $" Did you mean '{guess}'?")}";
    }

    /// <param name="Name">As in <see cref="NamedSampler"/>.</param>
    /// <param name="Elsewhere">As in <see cref="NamedSampler"/>.</param>
    /// <param name="Class">As in <see cref="NamedSampler"/>.</param>
    /// <param name="Settings">The settings that the names stand for, as JSON.</param>
    /// <param name="About">As in <see cref="NamedSampler"/>.</param>
    private sealed record Sampler(string Name, string[] Elsewhere, string Class, string Settings, string About);

    private static bool Takes(Sampler sampler, string key) => SchedulerCatalog.KeysOf(sampler.Class).Contains(key);

    private static string Plain(string name)
    {
        var plain = new StringBuilder();
        foreach (char c in name.ToLowerInvariant().Replace("dpm++", "dpmpp", StringComparison.Ordinal)
            .Replace("dpm+", "dpmpp", StringComparison.Ordinal))
            if (char.IsAsciiLetterOrDigit(c)) plain.Append(c);
            else if (plain.Length > 0 && plain[^1] != '_') plain.Append('_');
        string text = plain.ToString().TrimEnd('_');
        return text.EndsWith("_gpu", StringComparison.Ordinal) ? text[..^4] : text;
    }

    private static KeyValuePair<string, JsonElement>[] Parse(string settings)
    {
        using var document = JsonDocument.Parse(settings);
        return [.. document.RootElement.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.Clone()))];
    }
}
