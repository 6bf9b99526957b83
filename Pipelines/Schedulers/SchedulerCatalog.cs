using System.Text.Json;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The schedulers there are. A new one is a class, a line in <see cref="Entries"/> and, where people have a short name for it, one in
/// <see cref="ShortNames"/>.</summary>
internal static class SchedulerCatalog
{
    private sealed record Entry(string Name, string[] Keys, Func<ModelConfig, Scheduler> Make);

    private static readonly Entry[] Entries =
    [
        new(nameof(DDIMScheduler), DDIMScheduler.Keys, static c => new DDIMScheduler(c)),
        new(nameof(DPMSolverMultistepScheduler), DPMSolverMultistepScheduler.Keys, static c => new DPMSolverMultistepScheduler(c)),
        new(nameof(EulerAncestralDiscreteScheduler), EulerAncestralDiscreteScheduler.Keys, static c => new EulerAncestralDiscreteScheduler(c)),
        new(nameof(EulerDiscreteScheduler), EulerDiscreteScheduler.Keys, static c => new EulerDiscreteScheduler(c)),
        new(nameof(LCMScheduler), LCMScheduler.Keys, static c => new LCMScheduler(c)),
        new(nameof(PNDMScheduler), PNDMScheduler.Keys, static c => new PNDMScheduler(c)),
    ];

    // Short names as they are used elsewhere, with the settings that they stand for in JSON.
    private static readonly (string Name, string Class, string Settings)[] ShortNames =
    [
        ("ddim", nameof(DDIMScheduler), "{}"),
        ("dpmpp_2m", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2}"""),
        ("dpmpp_2m_karras", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": true}"""),
        ("dpmpp_2m_sde", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "sde-dpmsolver++", "solver_order": 2}"""),
        ("dpmpp_2m_sde_karras", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "sde-dpmsolver++", "solver_order": 2, "use_karras_sigmas": true}"""),
        ("dpmpp_3m", nameof(DPMSolverMultistepScheduler), """{"algorithm_type": "dpmsolver++", "solver_order": 3}"""),
        ("euler", nameof(EulerDiscreteScheduler), "{}"),
        ("euler_karras", nameof(EulerDiscreteScheduler), """{"use_karras_sigmas": true}"""),
        ("euler_a", nameof(EulerAncestralDiscreteScheduler), "{}"),
        ("euler_ancestral", nameof(EulerAncestralDiscreteScheduler), "{}"),
        ("lcm", nameof(LCMScheduler), "{}"),
        ("plms", nameof(PNDMScheduler), """{"skip_prk_steps": true}"""),
        ("pndm", nameof(PNDMScheduler), "{}"),
    ];

    public static IReadOnlyList<string> ClassNames { get; } = [.. Entries.Select(e => e.Name)];

    public static IReadOnlyList<string> Aliases { get; } = [.. ShortNames.Select(s => s.Name)];

    public static IReadOnlyList<string> ConfigKeys { get; } = [.. Entries.SelectMany(e => e.Keys).Distinct().Order(StringComparer.Ordinal)];

    public static Scheduler Create(ModelConfig config, string? name, IEnumerable<KeyValuePair<string, JsonElement>> overrides)
    {
        string wanted = name ?? config.String("_class_name");
        foreach (var (shortName, className, settings) in ShortNames)
            if (Same(shortName, wanted)) return Find(className)!.Make(config.With(Parse(settings)).With(overrides));
        if (Find(wanted) is { } entry) return entry.Make(config.With(overrides));

        string known = $"Known are {string.Join(", ", ClassNames)}; short names: {string.Join(", ", Aliases)}.";
        throw name is null
            ? new ModelFileException(config.File,
                $"the model's scheduler is {Quoted(wanted)}, which is not built. {known} Choose one of them for this model: "
                + "DiffusionPipeline.CreateScheduler(name).")
            { Key = "_class_name" }
            : new DiffusionRequestException(nameof(ImageRequest.Scheduler), $"scheduler: \"{name}\" is not known. {known}");
    }

    /// <summary>The class that a class name or a short name stands for; null when there is none.</summary>
    public static string? ClassOf(string name)
    {
        foreach (var (shortName, className, _) in ShortNames)
            if (Same(shortName, name)) return className;
        return Find(name)?.Name;
    }

    /// <summary>A name from a file: short, and on one line.</summary>
    private static string Quoted(string name) => $"\"{JsonEncodedText.Encode(name.Length > 80 ? name[..80] + "…" : name)}\"";

    private static Entry? Find(string className) => Entries.FirstOrDefault(e => Same(e.Name, className));

    private static bool Same(string known, string wanted) => string.Equals(known, wanted, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<KeyValuePair<string, JsonElement>> Parse(string settings)
    {
        using var document = JsonDocument.Parse(settings);
        return [.. document.RootElement.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.Clone()))];
    }
}
