using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Image to moments of the latents: diffusers' Encoder of AutoencoderKL.</summary>
internal sealed class VaeEncoder : Layer
{
    private readonly Conv2d convIn, convOut;
    private readonly IReadOnlyList<DownEncoderBlock2D> downBlocks;
    private readonly VaeMidBlock midBlock;
    private readonly GroupNorm normOut;

    /// <summary>Declares <c>conv_in</c>, <c>down_blocks.N</c>, <c>mid_block</c>, <c>conv_norm_out</c> and <c>conv_out</c>.</summary>
    public VaeEncoder(AutoencoderConfig config)
    {
        var channels = config.BlockOutChannels;
        convIn = Child("conv_in", new Conv2d(config.InChannels, channels[0], 3, padding: 1));
        downBlocks = ChildList("down_blocks", channels.Select((c, i) =>
            new DownEncoderBlock2D(config, i == 0 ? c : channels[i - 1], c, downsample: i < channels.Count - 1)));
        midBlock = Child("mid_block", new VaeMidBlock(config));
        normOut = Child("conv_norm_out", new GroupNorm(config.NormGroups, channels[^1], VaeMidBlock.Epsilon));
        convOut = Child("conv_out", new Conv2d(channels[^1], 2 * config.LatentChannels, 3, padding: 1));
    }

    /// <summary>Records the encoder.</summary>
    /// <param name="x">[n, h, w, image channels].</param>
    /// <returns>[n, h / 8, w / 8, 2 · latent channels].</returns>
    public Value Forward(Value x) => Record(x, () =>
    {
        x = convIn.Forward(x);
        foreach (var block in downBlocks) x = block.Forward(x);
        x = midBlock.Forward(x);
        return convOut.Forward(Functional.Silu(normOut.Forward(x)));
    });
}
