using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Short names of sampling methods, including those of A1111 and ComfyUI, with diffusers' class and settings for each. Case, spaces, dashes
/// and a trailing <c>_gpu</c> are ignored, and <c>DPM++</c> is <c>dpmpp</c>; a noise schedule may follow, as in <c>DPM++ 2M Karras</c>.
/// </summary>
public static class SchedulerNames
{
    private static readonly Sampler[] Samplers =
    [
        new("ddim", "DDIM", nameof(DDIMScheduler), "{}"),
        new("dpmpp_2m", "DPM++ 2M", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2}"""),
        new("dpmpp_2m_sde", "DPM++ 2M SDE", nameof(DPMSolverMultistepScheduler),
            """{"algorithm_type": "sde-dpmsolver++", "solver_order": 2}"""),
        new("dpmpp_3m", null, nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 3}"""),
        new("euler", "Euler", nameof(EulerDiscreteScheduler), "{}"),
        new("euler_a", "Euler a", nameof(EulerAncestralDiscreteScheduler), "{}"),
        new("euler_ancestral", null, nameof(EulerAncestralDiscreteScheduler), "{}"),
        new("heun", "Heun", nameof(HeunDiscreteScheduler), "{}"),
        new("lcm", "LCM", nameof(LCMScheduler), "{}"),
        new("lms", "LMS", nameof(LMSDiscreteScheduler), "{}"),
        new("plms", "PLMS", nameof(PNDMScheduler), """{"skip_prk_steps": true}"""),
        new("pndm", null, nameof(PNDMScheduler), "{}"),
        new("uni_pc_bh2", null, nameof(UniPCMultistepScheduler), """{"solver_type": "bh2"}"""),
        new("unipc", "UniPC", nameof(UniPCMultistepScheduler), "{}"),
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

    /// <summary>
    /// Every sampling method: short name, A1111's name (null where it has none), diffusers' class, and the noise schedules that may follow
    /// the name.
    /// </summary>
    public static IEnumerable<(string Name, string? Spoken, string Class, IReadOnlyList<string> Spacings)> Table =>
        Samplers.Select(s => (s.Name, s.Spoken, s.Class,
            (IReadOnlyList<string>)[.. Spacings.Where(p => Takes(s, p.Key)).Select(p => p.Name)]));

    /// <summary>Whether a name is a short name or one of diffusers' class names.</summary>
    public static bool IsKnown(string name) =>
        Find(name) is not null || SchedulerCatalog.ClassNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The class and settings of a short name; null for an unknown name.</summary>
    internal static (string Class, IReadOnlyList<KeyValuePair<string, JsonElement>> Settings)? Find(string name)
    {
        string plain = Plain(name);
        foreach (var sampler in Samplers)
        {
            if (plain == sampler.Name) return (sampler.Class, Parse(sampler.Settings));
            if (!plain.StartsWith(sampler.Name + "_", StringComparison.Ordinal)) continue;
            foreach (var spacing in Spacings)
                if (plain[(sampler.Name.Length + 1)..] == spacing.Name && Takes(sampler, spacing.Key))
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

    /// <param name="Name">Short name of a sampling method.</param>
    /// <param name="Spoken">A1111's name; null where A1111 has none.</param>
    /// <param name="Class">diffusers' class name.</param>
    /// <param name="Settings">The settings that the name stands for, as JSON.</param>
    private sealed record Sampler(string Name, string? Spoken, string Class, string Settings);

    private static bool Takes(Sampler sampler, string key) => SchedulerCatalog.KeysOf(sampler.Class).Contains(key);

    private static string Plain(string name)
    {
        var plain = new StringBuilder();
        foreach (char c in name.ToLowerInvariant().Replace("dpm++", "dpmpp", StringComparison.Ordinal))
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
