using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// A checkpoint whose autoencoder attention may have the names from before diffusers 0.18 (SD 1.x and 2.x as published): <c>query</c>,
/// <c>key</c>, <c>value</c>, <c>proj_attn</c> are renamed to <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>.
/// </summary>
internal sealed class LegacyAttentionNames(IWeightSource source) : IWeightSource
{
    private static readonly (string Old, string New)[] Renamed = [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."),
        (".proj_attn.", ".to_out.0.")];

    /// <inheritdoc/>
    public string Location => source.Location;

    /// <inheritdoc/>
    public IEnumerable<string> Names => source.Names.Select(name => Rename(name, r => r.Old, r => r.New));

    /// <inheritdoc/>
    public Tensor? Find(string name)
    {
        if (source.Find(name) is { } tensor) return tensor;
        string old = Rename(name, r => r.New, r => r.Old);
        return old == name ? null : source.Find(old);
    }

    /// <inheritdoc/>
    public string? StoredNameOf(string name) => source.StoredNameOf(name);

    private static string Rename(string name, Func<(string Old, string New), string> from, Func<(string Old, string New), string> to)
    {
        if (!name.Contains(".attentions.", StringComparison.Ordinal)) return name;
        foreach (var pair in Renamed)
            if (name.Contains(from(pair), StringComparison.Ordinal)) return name.Replace(from(pair), to(pair), StringComparison.Ordinal);
        return name;
    }
}
