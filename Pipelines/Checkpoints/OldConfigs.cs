using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// What diffusers' StableDiffusionPipeline changes in the configurations of old folders when it is made, each change with a warning. A key
/// that the file has stays changed when another scheduler is made from it; one that it lacks is a default of its own scheduler's class, and
/// is changed for that class alone.
/// </summary>
internal static class OldConfigs
{
    private const string Offset = "steps_offset", Clip = "clip_sample", Sample = "sample_size";
    private const int TrainedSample = 64;
    private static readonly Version Repairs = new(0, 9, 0);

    /// <summary>Offset 1 and no clipping, whatever the file says.</summary>
    /// <returns>The changed file, and the settings of its own class, for <see cref="LogDefaults"/> when they are used.</returns>
    public static (ModelConfig Config, KeyValuePair<string, JsonElement>[] Defaults) Scheduler(
        ModelConfig config, string className, ILogger logger)
    {
        var (one, no) = (JsonElement.Parse("1"), JsonElement.Parse("false"));
        bool clipsByDefault = className.StartsWith("DDIM", StringComparison.Ordinal)
            || className.StartsWith("DDPM", StringComparison.Ordinal);
        var defaults = new List<KeyValuePair<string, JsonElement>>();
        if (config.IsNull(Offset) || config.Find(Offset) is { } offset
            && !(offset.ValueKind == JsonValueKind.Number && offset.GetDouble() == 1))
            config = Changed(config, Offset, one, "1", logger);
        else if (!config.Has(Offset)) defaults.Add(new(Offset, one));
        if (config.Find(Clip) is { ValueKind: JsonValueKind.True }) config = Changed(config, Clip, no, "false", logger);
        else if (!config.Has(Clip) && !config.IsNull(Clip) && clipsByDefault) defaults.Add(new(Clip, no));
        return (config, [.. defaults]);
    }

    /// <summary>Warns that settings are used which a file lacks.</summary>
    public static void LogDefaults(ModelConfig config, KeyValuePair<string, JsonElement>[] defaults, ILogger logger)
    {
        string absent = string.Join(" and no ", defaults.Select(d => d.Key));
        string taken = string.Join(" and ", defaults.Select(d => $"{d.Key} {d.Value}"));
        if (defaults.Length > 0) CheckpointLog.OldDefaultRepaired(logger, config.File, absent, taken.ToLowerInvariant());
    }

    /// <summary>A UNet saved before diffusers 0.9 says 32 latents and means 64.</summary>
    public static ModelConfig UNet(ModelConfig config, ILogger logger) =>
        config.Find(Sample) is { ValueKind: JsonValueKind.Number } size && size.TryGetInt32(out int side)
            && side is > 0 and < TrainedSample && IsOld(config)
            ? Changed(config, Sample, JsonElement.Parse("64"), "64", logger)
            : config;

    private static bool IsOld(ModelConfig config)
    {
        if (config.Find("_diffusers_version") is not { ValueKind: JsonValueKind.String }) return false;
        string[] parts = config.String("_diffusers_version").Split('.'); // 0.8.0.dev0 counts as 0.8.0
        return Version.TryParse(string.Join('.', parts.Take(3).TakeWhile(part => part.All(char.IsAsciiDigit))), out var version)
            && version < Repairs;
    }

    private static ModelConfig Changed(ModelConfig config, string key, JsonElement value, string taken, ILogger logger)
    {
        string found = config.Find(key)?.GetRawText() ?? "null";
        CheckpointLog.OldValueRepaired(logger, config.File, key, found.Length > 80 ? found[..80] + "…" : found, taken);
        return config.With([KeyValuePair.Create(key, value)]);
    }
}
