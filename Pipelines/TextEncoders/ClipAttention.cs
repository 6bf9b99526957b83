using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Causal self-attention over the tokens of each prompt: transformers' CLIPAttention.</summary>
internal sealed class ClipAttention : Layer
{
    private readonly Linear query, key, value, output;
    private readonly int heads;

    /// <summary>Declares <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c> and <c>out_proj</c>.</summary>
    public ClipAttention(ClipTextConfig config)
    {
        heads = config.Heads;
        key = Child("k_proj", new Linear(config.HiddenSize, config.HiddenSize));
        value = Child("v_proj", new Linear(config.HiddenSize, config.HiddenSize));
        query = Child("q_proj", new Linear(config.HiddenSize, config.HiddenSize));
        output = Child("out_proj", new Linear(config.HiddenSize, config.HiddenSize));
    }

    /// <inheritdoc/>
    public override bool CanFuseQkvProjections => true;

    /// <summary>Records the attention.</summary>
    /// <param name="x">[n, tokens, width].</param>
    public Value Forward(Value x) => Record(x, () =>
        output.Forward(Functional.Attention(query.Forward(x), key.Forward(x), value.Forward(x), heads, causal: true)));
}
