using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Transformers;

/// <summary>
/// Transformer blocks over the pixels of an image, between two projections, with a residual connection. Diffusers' Transformer2DModel for
/// continuous input.
/// </summary>
public sealed class Transformer2DModel : Layer
{
    private const double NormEpsilon = 1e-6; // fixed in diffusers, not part of the configuration
    private readonly GroupNorm norm;
    private readonly Func<Value, Value> projIn, projOut;
    private readonly IReadOnlyList<BasicTransformerBlock> blocks;

    /// <summary>Declares <c>norm</c>, <c>proj_in</c>, <c>transformer_blocks.N</c> and <c>proj_out</c>.</summary>
    /// <param name="channels">Channels of the image.</param>
    /// <param name="options">Number of blocks, heads and kind of projection.</param>
    public Transformer2DModel(int channels, TransformerOptions options)
    {
        norm = Child("norm", new GroupNorm(options.NormGroups, channels, NormEpsilon));
        projIn = Projection("proj_in", channels, options.LinearProjection);
        blocks = ChildList("transformer_blocks",
            Enumerable.Range(0, options.Layers).Select(_ => new BasicTransformerBlock(channels, options.Heads, options.CrossAttentionDim)));
        projOut = Projection("proj_out", channels, options.LinearProjection);
    }

    /// <summary>Records the transformer.</summary>
    /// <param name="x">[n, h, w, channels].</param>
    /// <param name="encoderHiddenStates">The prompt, [n, tokens, crossAttentionDim].</param>
    /// <param name="encoderMask">Added to the scores of the prompt's tokens, [n, 1, tokens].</param>
    /// <returns>[n, h, w, channels].</returns>
    public Value Forward(Value x, Value encoderHiddenStates, Value? encoderMask = null) => Record(x, () =>
    {
        var h = projIn(norm.Forward(x));
        foreach (var block in blocks) h = block.Forward(h, encoderHiddenStates, encoderMask);
        return projOut(h) + x;
    });

    private Func<Value, Value> Projection(string name, int channels, bool linear) =>
        linear ? Child(name, new Linear(channels, channels)).Forward : Child(name, new Conv2d(channels, channels, 1)).Forward;
}
