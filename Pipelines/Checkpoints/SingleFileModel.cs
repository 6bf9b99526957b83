using System.Text;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// A whole model in one safetensors file with the names of its original repository. Its tensors show its kind, its configurations
/// follow from their shapes, and weights are views of the file under diffusers' names. Opening reads the header only.
/// </summary>
internal sealed class SingleFileModel : IModelSource
{
    private readonly TensorTable table;
    private readonly ConfigFolder? given;
    private readonly TokenizerFolders tokenizers;
    private readonly IReadOnlyDictionary<string, ModelComponent> components;

    private SingleFileModel(TensorTable table, SingleFileLayout layout, ModelSourceOptions options)
    {
        (this.table, Layout) = (table, layout);
        given = options.ConfigFolder is { } folder ? ConfigFolder.Open(folder) : null;
        tokenizers = new TokenizerFolders(options);
        Index = given?.Index ?? ImpliedIndex();
        components = ModelComponent.ListOf(Index);
    }

    /// <summary>What kind of file it is.</summary>
    public SingleFileLayout Layout { get; }

    /// <inheritdoc/>
    public string Path => table.File;

    /// <inheritdoc/>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <inheritdoc/>
    public ModelConfig Index { get; }

    /// <inheritdoc/>
    public string ClassName => Index.String("_class_name");

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ModelComponent> Components => components;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layouts">The kinds that are supported.</param>
    /// <param name="options">What is taken from elsewhere.</param>
    /// <exception cref="ModelFileException">The file is no safetensors file, is damaged, or is of no kind that is supported; the message
    /// says what it seems to be.</exception>
    public static SingleFileModel Open(string path, IReadOnlyList<SingleFileLayout> layouts, ModelSourceOptions? options = null)
    {
        OtherFormats.Reject(path);
        var table = TensorTable.Read(path);
        return Find(table, layouts) is { } layout ? new SingleFileModel(table, layout, options ?? new())
            : throw OtherKinds.Reject(table, layouts);
    }

    /// <summary>The kind of a file; null where it is none of them.</summary>
    public static SingleFileLayout? Find(TensorTable table, IReadOnlyList<SingleFileLayout> layouts) =>
        OtherKinds.IsRefused(table) ? null : layouts.FirstOrDefault(layout => layout.Recognises(table));

    /// <inheritdoc/>
    public ModelConfig ConfigOf(string name)
    {
        var component = this.Component(name);
        if (given?.ConfigOf(component) is { } config) return config;
        if (name == "scheduler") return Parse(Layout.Scheduler(table));
        var part = Part(name);
        return Parse(part.Config(Below(part)));
    }

    /// <summary>What a component of this kind of model has whatever its tensors are.</summary>
    public ModelConfig TraitsOf(string name) => given?.ConfigOf(this.Component(name)) ?? Parse(Part(name).Traits);

    /// <inheritdoc/>
    public IModelWeights WeightsOf(string name, string? variant = null, ILogger? logger = null)
    {
        _ = this.Component(name);
        var part = Part(name);
        var own = Below(part);
        return new RenamedWeights(Checkpoint.Open(Path, logger), part.Prefix, part.Names(own));
    }

    /// <inheritdoc/>
    public ITokenizerFiles TokenizerOf(string name)
    {
        _ = this.Component(name);
        return tokenizers.Find(name) ?? given?.TokenizerOf(name)
            ?? (Layout.Tokenizers.TryGetValue(name, out var packaged) ? packaged
                : throw new ModelFileException(Path, $"a {Layout.Kind} model has no '{name}'. Name a folder with that tokenizer."));
    }

    /// <summary>None: a file has its weights once.</summary>
    public IReadOnlyList<string> ComponentsWith(string variant, IEnumerable<string> components) => [];

    private SingleFileComponent Part(string name) => Layout.Components.FirstOrDefault(part => part.Name == name)
        ?? throw new ModelFileException(Path, $"a {Layout.Kind} file has no weights of {OutsideText.Quote(name)}.");

    private TensorTable Below(SingleFileComponent part)
    {
        var own = table.Below(part.Prefix);
        return own.Tensors.Count > 0 ? own
            : throw new ModelFileException(Path, $"has no tensors {part.Prefix}…, the {part.Name} of a {Layout.Kind} model: the file does "
                + $"not hold the whole model.{(part.Name == "vae" ? " Name an autoencoder (vae)." : "")}");
    }

    private ModelConfig ImpliedIndex()
    {
        var index = new JsonObject { ["_class_name"] = Layout.PipelineClass };
        foreach (var (key, value) in Layout.Options) index[key] = value;
        foreach (var part in Layout.Components) index[part.Name] = new JsonArray(part.Library, part.Class);
        foreach (string name in Layout.Tokenizers.Keys) index[name] = new JsonArray("transformers", "CLIPTokenizer");
        index["scheduler"] = new JsonArray("diffusers", (string)Layout.Scheduler(table)["_class_name"]!);
        return Parse(index);
    }

    private ModelConfig Parse(JsonObject json) => ModelConfig.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()), Path);
}
