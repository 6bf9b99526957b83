using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>One tensor of a file, without its values.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="StoredType">Its type as the file names it.</param>
/// <param name="Bytes">Its stored size.</param>
internal readonly record struct StoredTensor(Shape Shape, string StoredType, long Bytes);

/// <summary>The tensors of a file by name: what tells a model's family, and what its configuration follows from.</summary>
internal sealed class TensorTable
{
    // Beyond every model's names; a file may give a name of megabytes, whose prefixes would fill the memory.
    private const int LongestName = 512;
    private readonly Dictionary<string, StoredTensor> tensors;
    private readonly HashSet<string> groups = new(StringComparer.Ordinal);

    private readonly IReadOnlyDictionary<string, long> integers;
    private readonly IReadOnlyDictionary<string, string> metadata;

    /// <summary>Makes a table.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="integers">The values of integer tensors with one element.</param>
    /// <param name="metadata">The file's <c>__metadata__</c>.</param>
    public TensorTable(string file, IEnumerable<KeyValuePair<string, StoredTensor>> tensors,
        IReadOnlyDictionary<string, long>? integers = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        File = file;
        this.integers = integers ?? new Dictionary<string, long>();
        this.metadata = metadata ?? new Dictionary<string, string>();
        this.tensors = new(tensors, StringComparer.Ordinal);
        foreach (string name in this.tensors.Keys)
            for (int dot = name.Length > LongestName ? -1 : name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
                if (!groups.Add(name[..dot])) break;
    }

    /// <summary>The file, for messages.</summary>
    public string File { get; }

    /// <summary>All tensors.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => tensors;

    /// <summary>The table of a file.</summary>
    /// <exception cref="ModelFileException">The file is missing, unreadable or damaged.</exception>
    public static TensorTable Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return new TensorTable(path, file.Entries.Values.Select(e =>
            KeyValuePair.Create(e.Name, new StoredTensor(e.Shape, e.StoredType, e.Bytes))),
            file.Entries.Values.Where(e => e.StoredType is "I64" or "I32" && e.Shape.Count == 1)
                .ToDictionary(e => e.Name, e => file.ReadLongs(e.Name)[0]), file.Metadata.ToDictionary());
    }

    /// <summary>The value of an integer tensor with one element; null where there is none.</summary>
    public long? IntegerOf(string name) => integers.TryGetValue(name, out long value) ? value : null;

    /// <summary>
    /// What the denoiser predicts, in diffusers' words, if the file says so: by the empty tensor <c>v_pred</c>, or in its metadata as the
    /// ModelSpec standard and ComfyUI have it.
    /// </summary>
    public string? StatedPrediction => Has("v_pred") ? "v_prediction"
        : (metadata.GetValueOrDefault("modelspec.prediction_type") ?? metadata.GetValueOrDefault("modelspec.predict_key")) switch
        {
            "v" or "v_prediction" => "v_prediction",
            "epsilon" => "epsilon",
            _ => null,
        };

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Has(string name) => tensors.ContainsKey(name);

    /// <summary>Whether there are tensors whose names begin with these parts.</summary>
    public bool HasGroup(string prefix) => groups.Contains(prefix);

    /// <summary>Number of consecutive groups <c>list.0</c>, <c>list.1</c> …</summary>
    public int Count(string list)
    {
        int count = 0;
        while (HasGroup($"{list}.{count}")) count++;
        return count;
    }

    /// <summary>A tensor's shape; null where there is none.</summary>
    public Shape? Find(string name) => tensors.TryGetValue(name, out var tensor) ? tensor.Shape : null;

    /// <summary>One size of a tensor that every model of a family has.</summary>
    /// <exception cref="ModelFileException">There is no such tensor, or it has fewer dimensions.</exception>
    public int Size(string name, int axis) =>
        Find(name) is not { } shape
            ? throw new ModelFileException(File, $"tensor {OutsideText.Quote(name)} is missing; the configuration follows from it.")
            { Tensor = name }
        : axis < shape.Rank ? shape[axis]
            : throw new ModelFileException(File, $"tensor {OutsideText.Quote(name)} has the shape {shape}; it must have more dimensions.")
            { Tensor = name };

    /// <summary>The tensors whose names begin with a prefix, without it.</summary>
    public TensorTable Below(string prefix) => new(File, tensors.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal))
        .Select(t => KeyValuePair.Create(t.Key[prefix.Length..], t.Value)));

    /// <summary>The tensors under diffusers' names; those that the map does not know are left out.</summary>
    /// <exception cref="ModelFileException">A tensor has a shape that it cannot have.</exception>
    public TensorTable Renamed(NameMap map)
    {
        var renamed = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var (original, tensor) in tensors)
            foreach (var (name, form) in map.ToDiffusers(original))
                renamed[name] = tensor with { Shape = form.Of(tensor.Shape) ?? throw form.Wrong(File, original, tensor.Shape) };
        return new TensorTable(File, renamed);
    }
}
