using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The model folder's own scheduler: the class that model_index.json names, with scheduler_config.json. It is created on first use, so that
/// a model whose own scheduler is not supported works with another one.
/// </summary>
internal sealed class ModelScheduler
{
    private readonly ModelConfig config;
    private readonly string className;
    private readonly KeyValuePair<string, JsonElement>[] ownDefaults; // apply to the model's own class only
    private string? note;

    private ModelScheduler(ModelConfig config, string className, KeyValuePair<string, JsonElement>[] ownDefaults, string? note) =>
        (this.config, this.className, this.ownDefaults, this.note) = (config, className, ownDefaults, note);

    /// <summary>Reads the folder's scheduler.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="repaired">Whether the pipeline's class corrects configurations of old folders; see <see cref="OldConfigs"/>.</param>
    /// <exception cref="ModelFileException">The component or its file is missing or damaged.</exception>
    public static ModelScheduler Read(ModelFolder folder, bool repaired)
    {
        const string Class = "_class_name";
        var config = folder.ConfigOf("scheduler");
        string className = folder.Component("scheduler").Class;
        if (config.Has(Class) && config.String(Class) is var other && other != className && other != $"Flax{className}")
            Notices.Warn($"{config.File}: '{Class}' is {config.Find(Class)!.Value.GetRawText()}; {folder.Index.File} names {className}, "
                + "which is used, as in diffusers.");
        config = config.With([KeyValuePair.Create(Class, JsonElement.Parse($"\"{JsonEncodedText.Encode(className)}\""))]);
        if (!repaired) return new ModelScheduler(config, className, [], null);
        var (changed, defaults, note) = OldConfigs.Scheduler(config, className);
        return new ModelScheduler(changed, className, defaults, note);
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
        if (own && Interlocked.Exchange(ref note, null) is { } once) Notices.Warn(once);
        return scheduler;
    }
}
