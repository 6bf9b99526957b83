using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// Single-head self-attention over all positions of an image, added to its input: diffusers' Attention as the autoencoder's mid block uses
/// it.
/// </summary>
internal sealed class VaeAttention : Layer
{
    private readonly GroupNorm norm;
    private readonly Linear query, key, value, output;

    /// <summary>Declares <c>group_norm</c>, <c>to_q</c>, <c>to_k</c>, <c>to_v</c> and <c>to_out.0</c>.</summary>
    public VaeAttention(int groups, int channels)
    {
        norm = Child("group_norm", new GroupNorm(groups, channels, VaeMidBlock.Epsilon));
        query = Child("to_q", new Linear(channels, channels));
        key = Child("to_k", new Linear(channels, channels));
        value = Child("to_v", new Linear(channels, channels));
        output = Child("to_out.0", new Linear(channels, channels));
    }

    /// <inheritdoc/>
    public override bool CanFuseQkvProjections => true;

    /// <summary>Records the attention.</summary>
    /// <param name="x">[n, h, w, channels]; positions are the tokens.</param>
    public Value Forward(Value x) => Record(x, () =>
    {
        var normalised = norm.Forward(x);
        return x + output.Forward(
            Functional.Attention(query.Forward(normalised), key.Forward(normalised), value.Forward(normalised), heads: 1));
    });
}
