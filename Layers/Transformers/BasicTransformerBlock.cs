using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Transformers;

/// <summary>
/// Self-attention, cross-attention to the prompt and a feed-forward layer, each with layer normalisation before it and a residual
/// connection.
/// </summary>
public sealed class BasicTransformerBlock : Layer
{
    private readonly LayerNorm norm1, norm2, norm3;
    private readonly Attention attn1, attn2;
    private readonly FeedForward ff;

    /// <summary>Declares <c>norm1</c>, <c>attn1</c>, <c>norm2</c>, <c>attn2</c>, <c>norm3</c> and <c>ff</c>.</summary>
    /// <param name="dim">Width of the tokens.</param>
    /// <param name="heads">Number of heads; must divide <paramref name="dim"/>.</param>
    /// <param name="crossAttentionDim">Width of the prompt's tokens.</param>
    /// <exception cref="ArgumentException">The number of heads does not divide the width.</exception>
    public BasicTransformerBlock(int dim, int heads, int crossAttentionDim)
    {
        if (heads <= 0 || dim % heads != 0)
            throw new ArgumentException($"{dim} channels are not divisible by {heads} heads.", nameof(heads));
        norm1 = Child("norm1", new LayerNorm(dim));
        attn1 = Child("attn1", new Attention(dim, null, heads, dim / heads));
        norm2 = Child("norm2", new LayerNorm(dim));
        attn2 = Child("attn2", new Attention(dim, crossAttentionDim, heads, dim / heads));
        norm3 = Child("norm3", new LayerNorm(dim));
        ff = Child("ff", new FeedForward(dim));
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, ..., dim].</param>
    /// <param name="encoderHiddenStates">The prompt, [n, tokens, crossAttentionDim].</param>
    /// <param name="encoderMask">Added to the scores of the prompt's tokens, [n, 1, tokens].</param>
    /// <returns>[n, ..., dim].</returns>
    public Value Forward(Value x, Value encoderHiddenStates, Value? encoderMask = null) => Record(x, () =>
    {
        x = attn1.Forward(norm1.Forward(x)) + x;
        x = attn2.Forward(norm2.Forward(x), encoderHiddenStates, encoderMask) + x;
        return ff.Forward(norm3.Forward(x)) + x;
    });
}
