using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The names that people give sampling methods, with the class and settings of diffusers that they stand for: short ones, and those of A1111 and ComfyUI.
/// Case, spaces, dashes and a trailing <c>_gpu</c> do not count, and <c>DPM++</c> is <c>dpmpp</c>; a noise schedule may follow, as in <c>DPM++ 2M Karras</c>.
/// </summary>
internal static class SchedulerNames
{
    /// <summary>A sampling method.</summary>
    /// <param name="Name">Its short name.</param>
    /// <param name="Spoken">What A1111 calls it; null where it does not.</param>
    /// <param name="Class">diffusers' class.</param>
    /// <param name="Settings">What the name stands for, in JSON.</param>
    public sealed record Sampler(string Name, string? Spoken, string Class, string Settings);

    private static readonly Sampler[] Samplers =
    [
        new("ddim", "DDIM", nameof(DDIMScheduler), "{}"),
        new("dpmpp_2m", "DPM++ 2M", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2}"""),
        new("dpmpp_2m_sde", "DPM++ 2M SDE", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "sde-dpmsolver++", "solver_order": 2}"""),
        new("dpmpp_3m", null, nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 3}"""),
        new("euler", "Euler", nameof(EulerDiscreteScheduler), "{}"),
        new("euler_a", "Euler a", nameof(EulerAncestralDiscreteScheduler), "{}"),
        new("euler_ancestral", null, nameof(EulerAncestralDiscreteScheduler), "{}"),
        new("lcm", "LCM", nameof(LCMScheduler), "{}"),
        new("plms", "PLMS", nameof(PNDMScheduler), """{"skip_prk_steps": true}"""),
        new("pndm", null, nameof(PNDMScheduler), "{}"),
    ];

    // Noise schedules under their names in A1111 and ComfyUI, with the key of diffusers that asks for them.
    private static readonly (string Name, string Key, string Settings)[] Spacings =
    [
        ("karras", "use_karras_sigmas", """{"use_karras_sigmas": true}"""),
        ("exponential", "use_exponential_sigmas", """{"use_exponential_sigmas": true}"""),
        ("beta", "use_beta_sigmas", """{"use_beta_sigmas": true}"""),
        ("sgm_uniform", "timestep_spacing", """{"timestep_spacing": "trailing"}"""),
        ("simple", "timestep_spacing", """{"timestep_spacing": "trailing"}"""),
    ];

    /// <summary>The short names without and with Karras' noise levels, which are asked for most.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Samplers.Select(s => s.Name).Concat(Samplers.Where(s => Takes(s, Spacings[0].Key)).Select(s => $"{s.Name}_karras")).Order(StringComparer.Ordinal)];

    /// <summary>Every sampling method, with the noise schedules that may follow its name.</summary>
    public static IEnumerable<(Sampler Sampler, string[] Spacings)> Table => Samplers.Select(s => (s, Spacings.Where(p => Takes(s, p.Key)).Select(p => p.Name).ToArray()));

    /// <summary>Whether a name is one of these or one of diffusers' classes.</summary>
    public static bool IsKnown(string name) => Find(name) is not null || SchedulerCatalog.ClassNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The class and settings that a name stands for; null where it is none of these.</summary>
    public static (string Class, IReadOnlyList<KeyValuePair<string, JsonElement>> Settings)? Find(string name)
    {
        string plain = Plain(name);
        foreach (var sampler in Samplers)
        {
            if (plain == sampler.Name) return (sampler.Class, Parse(sampler.Settings));
            if (!plain.StartsWith(sampler.Name + "_", StringComparison.Ordinal)) continue;
            foreach (var spacing in Spacings)
                if (plain[(sampler.Name.Length + 1)..] == spacing.Name && Takes(sampler, spacing.Key)) return (sampler.Class, [.. Parse(sampler.Settings), .. Parse(spacing.Settings)]);
        }

        return null;
    }

    /// <summary>The names that there are, as a sentence.</summary>
    public static string Known => $"Known are {string.Join(", ", SchedulerCatalog.ClassNames)}; short names: {string.Join(", ", All)}.";

    /// <summary>What to say about a name that is none, with the nearest that is.</summary>
    public static string Unknown(string name)
    {
        string? guess = NearestName.Of(Plain(name), All) ?? NearestName.Of(name, SchedulerCatalog.ClassNames);
        return $"\"{OutsideText.Line(name, 60)}\" is not known. {Known}{(guess is null ? "" : $" Did you mean '{guess}'?")}";
    }

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
