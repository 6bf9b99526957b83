using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>A model's folder with configurations or tokenizers from other folders.</summary>
internal sealed class OtherFiles : IModelSource
{
    private readonly IModelSource model;
    private readonly ConfigFolder? given;
    private readonly TokenizerFolders tokenizers;

    private OtherFiles(IModelSource model, ModelSourceOptions options) => (this.model, given, tokenizers) =
        (model, options.ConfigFolder is { } folder ? ConfigFolder.Open(folder) : null, new TokenizerFolders(options));

    /// <inheritdoc/>
    public string Path => model.Path;

    /// <inheritdoc/>
    public string Name => model.Name;

    /// <inheritdoc/>
    public string ClassName => model.ClassName;

    /// <inheritdoc/>
    public ModelConfig Index => model.Index;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ModelComponent> Components => model.Components;

    /// <summary>Decorates a model.</summary>
    /// <exception cref="ModelFileException">A folder does not exist.</exception>
    public static OtherFiles Of(IModelSource model, ModelSourceOptions options) => new(model, options);

    /// <inheritdoc/>
    public ModelConfig ConfigOf(string name) => given?.ConfigOf(this.Component(name)) ?? model.ConfigOf(name);

    /// <inheritdoc/>
    public IModelWeights WeightsOf(string name, string? variant = null, ILogger? logger = null) => model.WeightsOf(name, variant, logger);

    /// <inheritdoc/>
    public ITokenizerFiles TokenizerOf(string name) => tokenizers.Find(name) ?? given?.TokenizerOf(name) ?? model.TokenizerOf(name);

    /// <inheritdoc/>
    public IReadOnlyList<string> ComponentsWith(string variant, IEnumerable<string> components) =>
        model.ComponentsWith(variant, components);
}
