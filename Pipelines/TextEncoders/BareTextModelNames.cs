using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>
/// A text encoder's checkpoint whose names may lack the prefix <c>text_model.</c>, as transformers 5 saves its CLIPTextModel:
/// <c>encoder.layers.0…</c> becomes <c>text_model.encoder.layers.0…</c>. A checkpoint with the prefix is unchanged.
/// </summary>
internal sealed class BareTextModelNames : IWeightSource
{
    private const string Prefix = "text_model.";
    private static readonly string[] Parts = ["embeddings.", "encoder.", "final_layer_norm."];
    private readonly IWeightSource source;
    private readonly bool bare;

    public BareTextModelNames(IWeightSource source)
    {
        this.source = source;
        bare = !source.Names.Any(name => name.StartsWith(Prefix, StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public string Location => source.Location;

    /// <inheritdoc/>
    public IEnumerable<string> Names => bare ? source.Names.Select(name => IsPart(name) ? Prefix + name : name) : source.Names;

    /// <inheritdoc/>
    public Tensor? Find(string name) => source.Find(Own(name));

    /// <inheritdoc/>
    public string? StoredNameOf(string name) => source.StoredNameOf(Own(name));

    private string Own(string name) =>
        bare && name.StartsWith(Prefix, StringComparison.Ordinal) && name[Prefix.Length..] is var own && IsPart(own) ? own : name;

    private static bool IsPart(string name) => Parts.Any(part => name.StartsWith(part, StringComparison.Ordinal));
}
