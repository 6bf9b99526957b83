using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Transformers;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>
/// One resolution of a UNet's decoder: ResNet blocks, each of which takes a skip connection and is followed by a transformer if the block
/// has them, then upsampling. Diffusers' UpBlock2D, and with transformers its CrossAttnUpBlock2D.
/// </summary>
public sealed class UpBlock2D : Layer
{
    private readonly IReadOnlyList<ResnetBlock2D> resnets;
    private readonly IReadOnlyList<Transformer2DModel>? attentions;
    private readonly Upsample2D? upsampler;

    /// <summary>Declares <c>resnets.N</c>, with transformers <c>attentions.N</c>, with upsampling <c>upsamplers.0</c>.</summary>
    /// <param name="inChannels">Channels of the next finer resolution, and of the last skip connection.</param>
    /// <param name="prevChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the result and of the other skip connections.</param>
    /// <param name="layers">Number of ResNet blocks, one more than in the encoder.</param>
    /// <param name="resnet">Time channels, groups and ε of the ResNet blocks.</param>
    /// <param name="transformer">Options of the transformers; null for none.</param>
    /// <param name="upsample">Whether the block ends with upsampling.</param>
    /// <param name="transformerLayers">Blocks of each transformer, if they differ; null if all have the same number.</param>
    public UpBlock2D(
        int inChannels, int prevChannels, int outChannels, int layers, ResnetOptions resnet, TransformerOptions? transformer,
        bool upsample, IReadOnlyList<int>? transformerLayers = null)
    {
        resnets = ChildList("resnets", Enumerable.Range(0, layers).Select(i =>
            new ResnetBlock2D((i == 0 ? prevChannels : outChannels) + (i == layers - 1 ? inChannels : outChannels), outChannels, resnet)));
        attentions = transformer is null ? null
            : ChildList("attentions", resnets.Select((_, i) => new Transformer2DModel(outChannels, transformer.At(transformerLayers, i))));
        upsampler = upsample ? Child("upsamplers.0", new Upsample2D(outChannels)) : null;
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, prev].</param>
    /// <param name="time">The time embedding, [n, 1, 1, time channels].</param>
    /// <param name="encoderHiddenStates">The prompt, [n, tokens, crossAttentionDim]; used by transformers only.</param>
    /// <param name="encoderMask">Added to the scores of the prompt's tokens, [n, 1, tokens].</param>
    /// <param name="skips">The skip connections; the block takes one per ResNet block.</param>
    /// <param name="freeU">FreeU's factors; null disables FreeU.</param>
    /// <returns>[n, h, w, out]; after upsampling the next skip connection's height and width, which may be one less than twice h and
    /// w.</returns>
    public Value Forward(Value x, Value time, Value encoderHiddenStates, Value? encoderMask, Stack<Value> skips,
        FreeUScales? freeU = null) => Record(x, () =>
    {
        for (int i = 0; i < resnets.Count; i++)
        {
            var skip = skips.Pop();
            if (freeU is { } scales) (x, skip) = scales.Apply(x, skip);
            x = resnets[i].Forward(ConcatChannels(x, skip), time);
            if (attentions is not null) x = attentions[i].Forward(x, encoderHiddenStates, encoderMask);
        }

        return upsampler is null ? x : upsampler.Forward(x, skips.Peek());
    });
}
