using System.Collections.Immutable;
using System.Text.Json;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The supported schedulers. A new one is a class, a line in <see cref="entries"/> and, where it has a common name, one in
/// <see cref="SchedulerNames"/>.
/// </summary>
internal static class SchedulerCatalog
{
    private sealed record Entry(string Name, IReadOnlyList<string> Keys, Func<ModelConfig, Scheduler> Make);

    private static ImmutableArray<Entry> entries =
    [
        new(nameof(DDIMScheduler), DDIMScheduler.Keys, static c => new DDIMScheduler(c)),
        new(nameof(DDPMScheduler), DDPMScheduler.Keys, static c => new DDPMScheduler(c)),
        new(nameof(DEISMultistepScheduler), DEISMultistepScheduler.Keys, static c => new DEISMultistepScheduler(c)),
        new(nameof(DPMSolverMultistepScheduler), DPMSolverMultistepScheduler.Keys, static c => new DPMSolverMultistepScheduler(c)),
        new(nameof(DPMSolverSDEScheduler), DPMSolverSDEScheduler.Keys, static c => new DPMSolverSDEScheduler(c)),
        new(nameof(DPMSolverSinglestepScheduler), DPMSolverSinglestepScheduler.Keys, static c => new DPMSolverSinglestepScheduler(c)),
        new(nameof(EDMDPMSolverMultistepScheduler), EDMDPMSolverMultistepScheduler.Keys, static c => new EDMDPMSolverMultistepScheduler(c)),
        new(nameof(EDMEulerScheduler), EDMEulerScheduler.Keys, static c => new EDMEulerScheduler(c)),
        new(nameof(EulerAncestralDiscreteScheduler), EulerAncestralDiscreteScheduler.Keys,
            static c => new EulerAncestralDiscreteScheduler(c)),
        new(nameof(EulerDiscreteScheduler), EulerDiscreteScheduler.Keys, static c => new EulerDiscreteScheduler(c)),
        new(nameof(FlowMatchEulerDiscreteScheduler), FlowMatchEulerDiscreteScheduler.Keys,
            static c => new FlowMatchEulerDiscreteScheduler(c)),
        new(nameof(FlowMatchHeunDiscreteScheduler), FlowMatchHeunDiscreteScheduler.Keys, static c => new FlowMatchHeunDiscreteScheduler(c)),
        new(nameof(HeunDiscreteScheduler), HeunDiscreteScheduler.Keys, static c => new HeunDiscreteScheduler(c)),
        new(nameof(IPNDMScheduler), IPNDMScheduler.Keys, static c => new IPNDMScheduler(c)),
        new(nameof(KDPM2AncestralDiscreteScheduler), KDPM2AncestralDiscreteScheduler.Keys,
            static c => new KDPM2AncestralDiscreteScheduler(c)),
        new(nameof(KDPM2DiscreteScheduler), KDPM2DiscreteScheduler.Keys, static c => new KDPM2DiscreteScheduler(c)),
        new(nameof(LCMScheduler), LCMScheduler.Keys, static c => new LCMScheduler(c)),
        new(nameof(LMSDiscreteScheduler), LMSDiscreteScheduler.Keys, static c => new LMSDiscreteScheduler(c)),
        new(nameof(PNDMScheduler), PNDMScheduler.Keys, static c => new PNDMScheduler(c)),
        new(nameof(SASolverScheduler), SASolverScheduler.Keys, static c => new SASolverScheduler(c)),
        new(nameof(TCDScheduler), TCDScheduler.Keys, static c => new TCDScheduler(c)),
        new(nameof(UniPCMultistepScheduler), UniPCMultistepScheduler.Keys, static c => new UniPCMultistepScheduler(c)),
    ];

    public static IReadOnlyList<string> ClassNames => [.. entries.Select(e => e.Name)];

    public static IReadOnlyList<string> Aliases => SchedulerNames.All;

    public static IReadOnlyList<string> ConfigKeys => [.. entries.SelectMany(e => e.Keys).Distinct().Order(StringComparer.Ordinal)];

    public static void Add(string name, IReadOnlyList<string> keys, Func<ModelConfig, Scheduler> make) =>
        ImmutableInterlocked.Update(ref entries, known => ClassOf(name) is { } taken
            ? throw new ArgumentException($"There is a scheduler of that name: {taken}.", nameof(name))
            : known.Add(new Entry(name, [.. keys], make)));

    public static Scheduler Create(ModelConfig config, string? name, IEnumerable<KeyValuePair<string, JsonElement>> overrides)
    {
        string wanted = name ?? config.String("_class_name");
        if (SchedulerNames.Find(wanted) is { } named) return Find(named.Class)!.Make(config.With(named.Settings).With(overrides));
        if (Find(wanted) is { } entry) return entry.Make(config.With(overrides));
        throw name is null
            ? new ModelFileException(config.File,
                $"the model's scheduler is {OutsideText.Quote(wanted)}, which is not supported. {SchedulerNames.Known} Choose one of them "
                    + "for this model: "
                + "DiffusionPipeline.CreateScheduler(name).")
            { Key = "_class_name" }
            : new DiffusionRequestException(nameof(Scheduler), $"scheduler: {SchedulerNames.Unknown(name)}");
    }

    /// <summary>diffusers' class for a class name or a short name; null for an unknown name.</summary>
    public static string? ClassOf(string name) => SchedulerNames.Find(name)?.Class ?? Find(name)?.Name;

    /// <summary>The config keys that a class reads.</summary>
    public static IReadOnlyList<string> KeysOf(string className) => Find(className)!.Keys;

    private static Entry? Find(string className) => entries.FirstOrDefault(e => Same(e.Name, className));

    private static bool Same(string known, string wanted) => string.Equals(known, wanted, StringComparison.OrdinalIgnoreCase);
}
