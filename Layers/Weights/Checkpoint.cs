using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// A model's weights by name, from one file or from several shards. It remembers which tensors were asked for, so that those a model does not
/// know can be reported. Safe for several threads; disposing it makes its tensors invalid.
/// </summary>
public sealed class Checkpoint : IWeightSource, IDisposable
{
    private readonly Dictionary<string, WeightTensor> tensors = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> files = [];
    private readonly HashSet<string> unused = new(StringComparer.Ordinal);

    private Checkpoint(string source) => Source = source;

    /// <summary>The file, or the index of the shards, for messages.</summary>
    public string Source { get; }

    /// <summary>The names of all tensors. <c>text_model.embeddings.position_ids</c>, which old text encoders store although it is only 0, 1, 2 …, is left out.</summary>
    public IReadOnlyCollection<string> Names => tensors.Keys;

    string IWeightSource.Location => Source;

    IEnumerable<string> IWeightSource.Names => Names;

    /// <summary>The tensors that were never asked for, sorted.</summary>
    public IReadOnlyList<string> Unused
    {
        get
        {
            lock (unused) return [.. unused.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Opens a single file, or an index (<c>*.json</c>) with its shards.</summary>
    /// <exception cref="ModelFileException">A file is missing or damaged, or index and shards disagree.</exception>
    public static Checkpoint Open(string path)
    {
        var checkpoint = new Checkpoint(path);
        try
        {
            if (path.EndsWith(".json", StringComparison.Ordinal)) checkpoint.AddShards(ShardIndex.Parse(ModelConfig.Load(path)));
            else
            {
                checkpoint.files.Add(SafetensorsFile.Open(path));
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
    /// Opens the weights in a component's folder by diffusers' names: <c>diffusion_pytorch_model</c> before <c>model</c>, one file before shards. Without a
    /// variant the plain files come first; a folder that has only variants gives fp16, else bf16, else fp32, else the first by name.
    /// </summary>
    /// <param name="folder">Such as <c>…/unet</c>.</param>
    /// <param name="variant">Such as <c>fp16</c> for <c>diffusion_pytorch_model.fp16.safetensors</c>; it must then be present.</param>
    /// <exception cref="ModelFileException">The folder has no such weights (the message says what it has), or they are damaged.</exception>
    public static Checkpoint OpenFolder(string folder, string? variant = null) => Open(WeightFiles.Find(folder, variant));

    /// <summary>The tensor of that name, or null; counts as asked for.</summary>
    public WeightTensor? Find(string name)
    {
        if (!tensors.TryGetValue(name, out var tensor)) return null;
        lock (unused) unused.Remove(name);
        return tensor;
    }

    Tensor? IWeightSource.Find(string name) => Find(name)?.ToTensor();

    /// <summary>A tensor that a model needs, in the shape that its configuration gives.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="shape">The sizes it must have.</param>
    /// <param name="module">The module that asks, for the message; null when the name says it.</param>
    /// <exception cref="ModelFileException">It is missing, has other sizes, or a type that cannot be used.</exception>
    public WeightTensor Require(string name, Shape shape, string? module = null)
    {
        string needs = module is null ? "" : $", needed by {module},";
        if (Find(name) is not { } tensor)
            throw new ModelFileException(Source, $"tensor {Text.Quote(name)}{needs} is missing; the checkpoint has {tensors.Count} tensors{Near(name)}.");
        if (tensor.Shape != shape)
            throw new ModelFileException(tensor.File.Path, $"tensor {Text.Quote(name)}{needs} has the shape {tensor.Shape}; the model's configuration makes it {shape}.");
        _ = tensor.DType; // throws for types that cannot be used
        return tensor;
    }

    /// <summary>Throws when the checkpoint holds tensors that nobody asked for: it is then not the model its configuration describes.</summary>
    /// <exception cref="ModelFileException">Names the surplus tensors.</exception>
    public void ThrowIfUnused()
    {
        var surplus = Unused;
        if (surplus.Count > 0) throw new ModelFileException(Source, $"holds {surplus.Count} of {tensors.Count} tensors that the model does not have: {Text.List(surplus)}.");
    }

    /// <summary>Closes all files.</summary>
    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    private void AddShards(Dictionary<string, string> map)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(Source))!;
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (string name in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path)) throw new ModelFileException(Source, $"names the shard {Text.Quote(name)}, which is missing (is the download complete?).");
            files.Add(shards[name] = SafetensorsFile.Open(path));
        }

        foreach (var (tensor, name) in map)
            if (shards[name].Entries.TryGetValue(tensor, out var entry)) Add(shards[name], entry);
            else throw new ModelFileException(Source, $"says that tensor {Text.Quote(tensor)} is in {Text.Quote(name)}, which does not have it.");
        foreach (var shard in files) AddAll(shard); // a tensor that the index forgot; a second copy of a listed one stays out
    }

    private void AddAll(SafetensorsFile file)
    {
        foreach (var entry in file.Entries.Values) Add(file, entry);
    }

    private void Add(SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.Name.EndsWith("text_model.embeddings.position_ids", StringComparison.Ordinal)) return;
        if (tensors.TryAdd(entry.Name, new WeightTensor(file, entry))) unused.Add(entry.Name);
    }

    /// <summary>Names of the same module, which show a prefix or a naming scheme that differs.</summary>
    private string Near(string name)
    {
        for (int dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
        {
            string[] near = [.. tensors.Keys.Where(other => other.StartsWith(name[..(dot + 1)], StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
            if (near.Length > 0) return $", near it {Text.List(near, 3)}";
        }

        return tensors.Count == 0 ? "" : $", such as {Text.List([.. tensors.Keys.Order(StringComparer.Ordinal)], 3)}";
    }
}
