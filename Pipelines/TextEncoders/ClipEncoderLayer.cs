using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Attention and MLP, each on a normalised input and added to it: transformers' CLIPEncoderLayer.</summary>
internal sealed class ClipEncoderLayer : Layer
{
    private readonly ClipAttention attention;
    private readonly LayerNorm norm1, norm2;
    private readonly ClipMlp mlp;

    /// <summary>Declares <c>self_attn</c>, <c>layer_norm1</c>, <c>mlp</c> and <c>layer_norm2</c>.</summary>
    public ClipEncoderLayer(ClipTextConfig config)
    {
        attention = Child("self_attn", new ClipAttention(config));
        norm1 = Child("layer_norm1", new LayerNorm(config.HiddenSize, config.LayerNormEpsilon));
        mlp = Child("mlp", new ClipMlp(config));
        norm2 = Child("layer_norm2", new LayerNorm(config.HiddenSize, config.LayerNormEpsilon));
    }

    /// <summary>Records the layer.</summary>
    /// <param name="x">[n, tokens, width].</param>
    public Value Forward(Value x) => Record(x, () =>
    {
        x += attention.Forward(norm1.Forward(x));
        return x + mlp.Forward(norm2.Forward(x));
    });
}
