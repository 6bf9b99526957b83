using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// A model's weights by name, from one file or several shards; <c>Layer.Load</c> checks them against the model. Thread-safe; disposing it
/// invalidates its tensors.
/// </summary>
public sealed class Checkpoint : IModelWeights
{
    private readonly Dictionary<string, WeightTensor> tensors = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> files = [];

    private Checkpoint(string source) => Source = source;

    /// <summary>The file, or the index of the shards, for messages.</summary>
    public string Source { get; }

    /// <summary>
    /// The names of all tensors. <c>embeddings.position_ids</c>, which old text encoders store although it is only 0, 1, 2 …, is omitted.
    /// </summary>
    public IReadOnlyCollection<string> Names => tensors.Keys;

    string IWeightSource.Location => Source;

    IEnumerable<string> IWeightSource.Names => Names;

    /// <summary>Opens a single file, or an index (<c>*.json</c>) with its shards.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">For warnings; null writes them to <see cref="System.Diagnostics.Trace"/>.</param>
    /// <exception cref="ModelFileException">A file is missing or damaged, or index and shards disagree.</exception>
    public static Checkpoint Open(string path, ILogger? logger = null)
    {
        var checkpoint = new Checkpoint(path);
        try
        {
            if (path.EndsWith(".json", StringComparison.Ordinal)) checkpoint.AddShards(ShardIndex.Parse(ModelConfig.Load(path)), logger);
            else
            {
                checkpoint.files.Add(SafetensorsFile.Open(path, logger));
                checkpoint.AddAll(checkpoint.files[0]);
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens the weights in a component's folder by diffusers' names: <c>diffusion_pytorch_model</c> before <c>model</c>, one file before
    /// shards. Without a variant the plain files come first; if there are only variants, the order is fp16, bf16, fp32, then the others by
    /// name.
    /// </summary>
    /// <param name="folder">Such as <c>…/unet</c>.</param>
    /// <param name="variant">Such as <c>fp16</c> for <c>diffusion_pytorch_model.fp16.safetensors</c>; it must then be present.</param>
    /// <param name="logger">For warnings; null writes them to <see cref="System.Diagnostics.Trace"/>.</param>
    /// <exception cref="ModelFileException">The folder has no such weights (the message says what it has), or they are damaged.</exception>
    public static Checkpoint OpenFolder(string folder, string? variant = null, ILogger? logger = null) =>
        Open(WeightFiles.Find(folder, variant), logger);

    /// <summary>As <see cref="OpenFolder"/>, with the plain files if there are none of the variant.</summary>
    public static Checkpoint OpenFolderOrPlain(string folder, string? variant = null, ILogger? logger = null) =>
        Open(WeightFiles.Find(folder, variant, orPlain: true), logger);

    /// <summary>Whether a folder has weights of a variant.</summary>
    /// <exception cref="ModelFileException">The folder does not exist or cannot be read.</exception>
    public static bool HasVariant(string folder, string variant) => WeightFiles.Has(folder, variant);

    /// <summary>The tensor of that name, or null.</summary>
    public WeightTensor? Find(string name) => tensors.GetValueOrDefault(name);

    Tensor? IWeightSource.Find(string name) => Find(name)?.ToTensor();

    /// <summary>Closes all files.</summary>
    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    private void AddShards(Dictionary<string, string> map, ILogger? logger)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(Source))!;
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (string name in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
                throw new ModelFileException(Source, $"names the shard {Text.Quote(name)}, which is missing (is the download complete?).");
            files.Add(shards[name] = SafetensorsFile.Open(path, logger));
        }

        foreach (var (tensor, name) in map)
            if (shards[name].Entries.TryGetValue(tensor, out var entry)) Add(shards[name], entry);
            else throw new ModelFileException(Source,
                $"says that tensor {Text.Quote(tensor)} is in {Text.Quote(name)}, which does not have it.");
        foreach (var shard in files) AddAll(shard); // adds tensors missing in the index, but no second copy of a listed one
    }

    private void AddAll(SafetensorsFile file)
    {
        foreach (var entry in file.Entries.Values) Add(file, entry);
    }

    private void Add(SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.Name.EndsWith("embeddings.position_ids", StringComparison.Ordinal)) return;
        tensors.TryAdd(entry.Name, new WeightTensor(file, entry));
    }
}
