using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Errors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The model folder's own scheduler: the class that model_index.json names, with scheduler_config.json. It is created on first use, so that
/// a model whose own scheduler is not supported works with another one.
/// </summary>
internal sealed class ModelScheduler
{
    private readonly ModelConfig config;
    private readonly string className;
    private readonly KeyValuePair<string, JsonElement>[] ownDefaults; // for the model's own class alone
    private readonly ILogger logger;
    private int warned;

    private ModelScheduler(ModelConfig config, string className, KeyValuePair<string, JsonElement>[] ownDefaults, ILogger logger) =>
        (this.config, this.className, this.ownDefaults, this.logger) = (config, className, ownDefaults, logger);

    /// <summary>Reads the folder's scheduler.</summary>
    /// <param name="source">The model.</param>
    /// <param name="repaired">Whether the pipeline's class corrects configurations of old folders; see <see cref="OldConfigs"/>.</param>
    /// <param name="logger">For warnings, now and when a scheduler is made.</param>
    /// <exception cref="ModelFileException">The component or its file is missing or damaged.</exception>
    public static ModelScheduler Read(IModelSource source, bool repaired, ILogger logger)
    {
        const string Class = "_class_name";
        var config = source.ConfigOf("scheduler");
        string className = source.Component("scheduler").Class;
        if (config.Has(Class) && config.String(Class) is var other && other != className && other != $"Flax{className}")
            SchedulerLog.ClassOfTheIndexUsed(logger, config.File, config.Find(Class)!.Value.GetRawText(), source.Index.File, className);
        config = config.With([KeyValuePair.Create(Class, JsonElement.Parse($"\"{JsonEncodedText.Encode(className)}\""))]);
        if (!repaired) return new ModelScheduler(config, className, [], logger);
        var (changed, defaults) = OldConfigs.Scheduler(config, className, logger);
        return new ModelScheduler(changed, className, defaults, logger);
    }

    /// <summary>Makes a scheduler.</summary>
    /// <param name="name">A class name or a short name; null takes the model's own class.</param>
    /// <param name="settings">Keys that override the file's.</param>
    /// <exception cref="DiffusionRequestException">No scheduler has that name.</exception>
    /// <exception cref="ModelFileException">The model's own class is not supported, or a setting is unusable.</exception>
    public Scheduler Create(string? name, IEnumerable<KeyValuePair<string, JsonElement>>? settings)
    {
        bool own = SchedulerCatalog.ClassOf(name ?? className) == className;
        var scheduler = Scheduler.FromConfig(own ? config.With(ownDefaults) : config, name, settings);
        if (own && Interlocked.Exchange(ref warned, 1) == 0) OldConfigs.LogDefaults(config, ownDefaults, logger);
        return scheduler;
    }
}
