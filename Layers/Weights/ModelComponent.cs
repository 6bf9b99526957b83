using System.Text.Json;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>One part of a pipeline as model_index.json lists it.</summary>
/// <param name="Name">Its name, which is also its folder: <c>unet</c>, <c>text_encoder_2</c> …</param>
/// <param name="Library">The Python library it comes from: <c>diffusers</c>, <c>transformers</c> …</param>
/// <param name="Class">Its Python class: <c>UNet2DConditionModel</c> …</param>
public sealed record ModelComponent(string Name, string Library, string Class)
{
    /// <summary>Whether it has weights: a model, and no scheduler, tokenizer or processor of images.</summary>
    public bool HasWeights => ConfigFile == "config.json" && !Class.EndsWith("SafetyChecker", StringComparison.Ordinal);

    /// <summary>The name of its configuration file, by the kind of its class.</summary>
    public string ConfigFile =>
        Class.EndsWith("Scheduler", StringComparison.Ordinal) ? "scheduler_config.json"
        : Class.Contains("Tokenizer", StringComparison.Ordinal) ? "tokenizer_config.json"
        : Class.EndsWith("ImageProcessor", StringComparison.Ordinal) || Class.EndsWith("FeatureExtractor", StringComparison.Ordinal)
            ? "preprocessor_config.json"
        : "config.json";

    /// <summary>The components that an index lists, by name; those listed as [null, null] are omitted.</summary>
    /// <param name="index">model_index.json.</param>
    /// <exception cref="ModelFileException">A component has no class, or a name that cannot be a folder's.</exception>
    public static IReadOnlyDictionary<string, ModelComponent> ListOf(ModelConfig index)
    {
        ArgumentNullException.ThrowIfNull(index);
        var components = new Dictionary<string, ModelComponent>(StringComparer.Ordinal);
        foreach (string key in index.Keys)
        {
            // Names with an underscore are diffusers' own; a value that is not a pair with a string is an option, or the [null, null] of an
            // absent component.
            if (key.StartsWith('_') || index.Find(key) is not { ValueKind: JsonValueKind.Array } pair || pair.GetArrayLength() != 2)
                continue;
            int strings = pair.EnumerateArray().Count(part => part.ValueKind == JsonValueKind.String);
            if (strings == 0) continue;
            if (strings == 1) throw index.Wrong(key, "a pair [library, class] or [null, null]");
            if (!PlainName.Is(key))
                throw new ModelFileException(index.File, $"the component {Text.Quote(key)} cannot be the name of a folder.");
            string[] names = index.Strings(key);
            components.Add(key, new ModelComponent(key, names[0], PythonClass.WithoutFlax(names[1])));
        }

        return components;
    }
}
