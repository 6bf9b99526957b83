using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Transformers;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>
/// One resolution of a UNet's encoder: ResNet blocks, each followed by a transformer if the block has them, then downsampling.
/// Diffusers' DownBlock2D, and with transformers its CrossAttnDownBlock2D.
/// </summary>
public sealed class DownBlock2D : Layer
{
    private readonly IReadOnlyList<ResnetBlock2D> resnets;
    private readonly IReadOnlyList<Transformer2DModel>? attentions;
    private readonly Downsample2D? downsampler;

    /// <summary>Declares <c>resnets.N</c>, with transformers <c>attentions.N</c>, with downsampling <c>downsamplers.0</c>.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the result.</param>
    /// <param name="layers">Number of ResNet blocks.</param>
    /// <param name="resnet">Time channels, groups and ε of the ResNet blocks.</param>
    /// <param name="transformer">Options of the transformers; null for none.</param>
    /// <param name="downsamplePadding">Padding of the downsampling convolution; null for no downsampling.</param>
    /// <param name="transformerLayers">Blocks of each transformer, if they differ; null if all have the same number.</param>
    public DownBlock2D(
        int inChannels, int outChannels, int layers, ResnetOptions resnet, TransformerOptions? transformer, int? downsamplePadding,
        IReadOnlyList<int>? transformerLayers = null)
    {
        resnets = ChildList("resnets",
            Enumerable.Range(0, layers).Select(i => new ResnetBlock2D(i == 0 ? inChannels : outChannels, outChannels, resnet)));
        attentions = transformer is null ? null
            : ChildList("attentions", resnets.Select((_, i) => new Transformer2DModel(outChannels, transformer.At(transformerLayers, i))));
        downsampler = downsamplePadding is { } padding ? Child("downsamplers.0", new Downsample2D(outChannels, padding)) : null;
    }

    /// <summary>Records the block. Its results also become skip connections, named <c>path#1.0</c>, <c>path#1.1</c> …</summary>
    /// <param name="x">[n, h, w, in].</param>
    /// <param name="time">The time embedding, [n, 1, 1, time channels].</param>
    /// <param name="encoderHiddenStates">The prompt, [n, tokens, crossAttentionDim]; used by transformers only.</param>
    /// <param name="encoderMask">Added to the scores of the prompt's tokens, [n, 1, tokens].</param>
    /// <param name="skips">Receives the result of every layer: [n, h, w, out], after downsampling [n, ⌈h/2⌉, ⌈w/2⌉, out].</param>
    /// <returns>The last of these.</returns>
    public Value Forward(Value x, Value time, Value encoderHiddenStates, Value? encoderMask, Stack<Value> skips) => Record(x, () =>
    {
        for (int i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].Forward(x, time);
            if (attentions is not null) x = attentions[i].Forward(x, encoderHiddenStates, encoderMask);
            Keep(x, i, skips);
        }

        if (downsampler is not null) Keep(x = downsampler.Forward(x), resnets.Count, skips);
        return x;
    });

    private void Keep(Value x, int index, Stack<Value> skips)
    {
        skips.Push(x);
        x.Graph.Label($"{Path}#1.{index}", x);
    }
}
