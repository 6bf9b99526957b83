using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Transformers;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>
/// The middle block of a UNet: ResNet block, transformer, ResNet block; in some distilled models only the first of the three.
/// </summary>
public sealed class UNetMidBlock2DCrossAttn : Layer
{
    private readonly ResnetBlock2D before;
    private readonly ResnetBlock2D? after;
    private readonly Transformer2DModel? attention;

    /// <summary>Declares <c>resnets.0</c> and, with a transformer, <c>attentions.0</c> and <c>resnets.1</c>.</summary>
    /// <param name="channels">Channels before and after.</param>
    /// <param name="resnet">Time channels, groups and ε of the ResNet blocks.</param>
    /// <param name="transformer">Options of the transformer; null for a ResNet block alone, as diffusers' UNetMidBlock2D in its
    /// UNet2DConditionModel.</param>
    public UNetMidBlock2DCrossAttn(int channels, ResnetOptions resnet, TransformerOptions? transformer)
    {
        before = Child("resnets.0", new ResnetBlock2D(channels, channels, resnet));
        if (transformer is null) return;
        attention = Child("attentions.0", new Transformer2DModel(channels, transformer));
        after = Child("resnets.1", new ResnetBlock2D(channels, channels, resnet));
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, channels].</param>
    /// <param name="time">The time embedding, [n, 1, 1, time channels].</param>
    /// <param name="encoderHiddenStates">The prompt, [n, tokens, crossAttentionDim].</param>
    /// <param name="encoderMask">Added to the scores of the prompt's tokens, [n, 1, tokens].</param>
    /// <returns>[n, h, w, channels].</returns>
    public Value Forward(Value x, Value time, Value encoderHiddenStates, Value? encoderMask = null) =>
        Record(x, () =>
        {
            x = before.Forward(x, time);
            return attention is null ? x : after!.Forward(attention.Forward(x, encoderHiddenStates, encoderMask), time);
        });
}
