using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// A model in diffusers' folder layout: model_index.json names the pipeline class and its components, each of which has a folder of its
/// own. Opening reads the index only.
/// </summary>
public sealed class ModelFolder : IModelSource
{
    private const string IndexFile = "model_index.json";
    private const string SingleFileHint = ": a model in a single file is opened by ModelSource.Open, which takes both";
    private const string HubHint = " If this is the name of a model on the Hugging Face Hub: models are not downloaded here. In Python,"
        + " huggingface_hub.snapshot_download(name) downloads one and gives the folder to load.";

    private readonly IReadOnlyDictionary<string, ModelComponent> components;

    private ModelFolder(string path, ModelConfig index, IReadOnlyDictionary<string, ModelComponent> components) =>
        (Path, Index, this.components) = (path, index, components);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The model's name: the folder's, or <c>owner/name</c> for a snapshot in the Hugging Face Hub's cache.</summary>
    public string Name => HubCache.NameOf(Path);

    /// <summary>The whole model_index.json: it also holds options of the pipeline (<c>force_zeros_for_empty_prompt</c> …).</summary>
    public ModelConfig Index { get; }

    /// <summary>The pipeline's Python class: <c>StableDiffusionXLPipeline</c> …</summary>
    public string ClassName => PythonClass.WithoutFlax(Index.String("_class_name"));

    /// <summary>The components that are present, by name; those listed as [null, null] are omitted.</summary>
    public IReadOnlyDictionary<string, ModelComponent> Components => components;

    /// <summary>
    /// Opens a model's folder, or the current snapshot of an entry of the Hugging Face Hub's cache (<c>models--owner--name</c>).
    /// </summary>
    /// <exception cref="ModelFileException">The folder or its model_index.json is missing or unusable.</exception>
    public static ModelFolder Open(string path)
    {
        if (File.Exists(path))
            throw new ModelFileException(path, $"is a file; expected a folder with {IndexFile}{(Single(path) ? SingleFileHint : "")}.");
        if (!Directory.Exists(path))
            throw new ModelFileException(path, $"the folder does not exist.{(HubCache.IsHubName(path) ? HubHint : "")}");
        path = HubCache.Resolve(path);
        string index = System.IO.Path.Combine(path, IndexFile);
        if (!File.Exists(index))
            throw new ModelFileException(path, $"has no {IndexFile}; expected a model in diffusers' folder layout"
                + (File.Exists(System.IO.Path.Combine(path, "config.json")) ? " (this looks like one component of it)." : "."));
        return Parse(path, ModelConfig.Load(index));
    }

    /// <summary>Validates an index that has been read.</summary>
    internal static ModelFolder Parse(string path, ModelConfig index)
    {
        var folder = new ModelFolder(path, index, ModelComponent.ListOf(index));
        _ = folder.ClassName; // throws if it is missing
        return folder;
    }

    /// <summary>The full path of a component's folder.</summary>
    /// <exception cref="ModelFileException">The component is not listed, or its folder is missing.</exception>
    public string FolderOf(string name)
    {
        string folder = System.IO.Path.Combine(Path, this.Component(name).Name);
        return Directory.Exists(folder) ? folder
            : throw new ModelFileException(folder,
                $"the folder does not exist, but {IndexFile} lists the component '{name}' (is the download complete?).");
    }

    /// <summary>A component's configuration.</summary>
    /// <exception cref="ModelFileException">The component, its folder or the file is missing, or the file is damaged.</exception>
    public ModelConfig ConfigOf(string name) => ModelConfig.Load(System.IO.Path.Combine(FolderOf(name), this.Component(name).ConfigFile));

    /// <summary>A component's weights; the caller disposes them.</summary>
    /// <param name="name">The component.</param>
    /// <param name="variant">Such as <c>fp16</c>, used if the component has it, else its plain files are. See
    /// <see cref="Checkpoint.OpenFolder"/>.</param>
    /// <param name="logger">For warnings; null writes them to <see cref="System.Diagnostics.Trace"/>.</param>
    /// <exception cref="ModelFileException">The component, its folder or its weights are missing or damaged.</exception>
    public Checkpoint WeightsOf(string name, string? variant = null, ILogger? logger = null) =>
        Checkpoint.OpenFolderOrPlain(FolderOf(name), variant, logger);

    IModelWeights IModelSource.WeightsOf(string name, string? variant, ILogger? logger) => WeightsOf(name, variant, logger);

    /// <inheritdoc/>
    public ITokenizerFiles TokenizerOf(string name) => new TokenizerFolder(FolderOf(name));

    /// <summary>The components that have weights of a variant.</summary>
    /// <exception cref="ModelFileException">A component or its folder is missing.</exception>
    public IReadOnlyList<string> ComponentsWith(string variant, IEnumerable<string> components) =>
        [.. components.Where(name => WeightFiles.Has(FolderOf(name), variant))];

    private static bool Single(string path) =>
        System.IO.Path.GetExtension(path).ToLowerInvariant() is ".safetensors" or ".ckpt" or ".gguf" or ".pt" or ".pth" or ".bin";
}
