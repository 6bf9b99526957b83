using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// Where a model comes from: configurations, weights and tokenizers by component, under diffusers' names. A folder in diffusers' layout is
/// one; a single file is another, whose configurations are implied.
/// </summary>
public interface IModelSource
{
    /// <summary>The file or folder, for messages.</summary>
    string Path { get; }

    /// <summary>The model's name, for people and for the metadata of images.</summary>
    string Name { get; }

    /// <summary>The pipeline's Python class: <c>StableDiffusionXLPipeline</c> …</summary>
    string ClassName { get; }

    /// <summary>model_index.json, or what stands for it: class, components and options of the pipeline.</summary>
    ModelConfig Index { get; }

    /// <summary>The components that are present, by name.</summary>
    IReadOnlyDictionary<string, ModelComponent> Components { get; }

    /// <summary>A component's configuration.</summary>
    /// <exception cref="ModelFileException">The component or its configuration is missing or damaged.</exception>
    ModelConfig ConfigOf(string name);

    /// <summary>A component's weights under diffusers' names; the caller disposes them.</summary>
    /// <param name="name">The component.</param>
    /// <param name="variant">Such as <c>fp16</c>, used if the component has it; null for the plain weights.</param>
    /// <param name="logger">For warnings; null writes them to <see cref="System.Diagnostics.Trace"/>.</param>
    /// <exception cref="ModelFileException">The component or its weights are missing or damaged.</exception>
    IModelWeights WeightsOf(string name, string? variant = null, ILogger? logger = null);

    /// <summary>The files of a tokenizer.</summary>
    /// <param name="name">The component: <c>tokenizer</c>, <c>tokenizer_2</c> …</param>
    /// <exception cref="ModelFileException">The component or its folder is missing.</exception>
    ITokenizerFiles TokenizerOf(string name);

    /// <summary>The components that have weights of a variant.</summary>
    /// <exception cref="ModelFileException">A component is missing.</exception>
    IReadOnlyList<string> ComponentsWith(string variant, IEnumerable<string> components);
}

/// <summary>Weights in files; disposing unmaps them.</summary>
public interface IModelWeights : IWeightSource, IDisposable
{
}

/// <summary>What every source has.</summary>
public static class ModelSourceExtensions
{
    /// <summary>True when the component is present.</summary>
    public static bool Has(this IModelSource source, string name)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.Components.ContainsKey(name);
    }

    /// <summary>The names of the components that have weights.</summary>
    public static IReadOnlyList<string> WithWeights(this IModelSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return [.. source.Components.Values.Where(c => c.HasWeights).Select(c => c.Name).Order(StringComparer.Ordinal)];
    }

    /// <summary>Whether any component has weights of a variant.</summary>
    /// <exception cref="ModelFileException">A component's folder is missing.</exception>
    public static bool HasVariant(this IModelSource source, string variant)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.ComponentsWith(variant, source.WithWeights()).Count > 0;
    }

    /// <summary>A component that a pipeline needs.</summary>
    /// <exception cref="ModelFileException">The index does not list it, or lists it as [null, null].</exception>
    public static ModelComponent Component(this IModelSource source, string name)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.Components.TryGetValue(name, out var component) ? component
            : throw new ModelFileException(source.Index.File,
                $"has no component '{name}', which {Text.Quote(source.ClassName)} needs; it lists "
                + $"{Text.List([.. source.Components.Keys], 12)}.");
    }
}
