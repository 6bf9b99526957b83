using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// Residual block, self-attention, residual block at the coarsest resolution: diffusers' UNetMidBlock2D as the autoencoder uses it.
/// </summary>
internal sealed class VaeMidBlock : Layer
{
    /// <summary>ε of every norm in the autoencoder.</summary>
    public const double Epsilon = 1e-6;

    private readonly IReadOnlyList<ResnetBlock2D> resnets;
    private readonly VaeAttention? attention;

    /// <summary>Declares <c>resnets.0</c>, <c>resnets.1</c> and, where the configuration has it, <c>attentions.0</c>.</summary>
    public VaeMidBlock(AutoencoderConfig config)
    {
        int channels = config.BlockOutChannels[^1];
        if (config.MidBlockAttention) attention = Child("attentions.0", new VaeAttention(config.NormGroups, channels));
        resnets = ChildList("resnets", Enumerable.Range(0, 2).Select(_ => Resnet(config, channels, channels)));
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, channels].</param>
    public Value Forward(Value x) => Record(x, () =>
    {
        x = resnets[0].Forward(x);
        if (attention is not null) x = attention.Forward(x);
        return resnets[1].Forward(x);
    });

    /// <summary>The autoencoder's residual block: no time embedding.</summary>
    internal static ResnetBlock2D Resnet(AutoencoderConfig config, int inChannels, int outChannels) =>
        new(inChannels, outChannels, new ResnetOptions(null, config.NormGroups, Epsilon));
}
