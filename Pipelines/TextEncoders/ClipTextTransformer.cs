using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Embeddings, encoder layers and a final norm: transformers' CLIPTextTransformer.</summary>
internal sealed class ClipTextTransformer : Layer
{
    /// <summary>Declares <c>embeddings</c>, <c>encoder.layers.N</c> and <c>final_layer_norm</c>.</summary>
    public ClipTextTransformer(ClipTextConfig config)
    {
        Embeddings = Child("embeddings", new ClipTextEmbeddings(config));
        Layers = ChildList("encoder.layers", Enumerable.Range(0, config.Layers).Select(_ => new ClipEncoderLayer(config)));
        FinalLayerNorm = Child("final_layer_norm", new LayerNorm(config.HiddenSize, config.LayerNormEpsilon));
    }

    /// <summary>Ids to vectors.</summary>
    public ClipTextEmbeddings Embeddings { get; }

    /// <summary>The encoder layers in order.</summary>
    public IReadOnlyList<ClipEncoderLayer> Layers { get; }

    /// <summary>Applied to the last layer's result only, unless a pipeline applies it to another.</summary>
    public LayerNorm FinalLayerNorm { get; }
}
