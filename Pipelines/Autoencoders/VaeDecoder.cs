using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Latents to image: diffusers' Decoder of AutoencoderKL.</summary>
internal sealed class VaeDecoder : Layer
{
    private readonly Conv2d convIn, convOut;
    private readonly VaeMidBlock midBlock;
    private readonly IReadOnlyList<UpDecoderBlock2D> upBlocks;
    private readonly GroupNorm normOut;

    /// <summary>Declares <c>conv_in</c>, <c>mid_block</c>, <c>up_blocks.N</c>, <c>conv_norm_out</c> and <c>conv_out</c>.</summary>
    public VaeDecoder(AutoencoderConfig config)
    {
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        convIn = Child("conv_in", new Conv2d(config.LatentChannels, channels[0], 3, padding: 1));
        midBlock = Child("mid_block", new VaeMidBlock(config));
        upBlocks = ChildList("up_blocks", channels.Select((c, i) =>
            new UpDecoderBlock2D(config, i == 0 ? c : channels[i - 1], c, upsample: i < channels.Length - 1)));
        normOut = Child("conv_norm_out", new GroupNorm(config.NormGroups, channels[^1], VaeMidBlock.Epsilon));
        convOut = Child("conv_out", new Conv2d(channels[^1], config.OutChannels, 3, padding: 1));
    }

    /// <summary>Records the decoder.</summary>
    /// <param name="x">[n, h, w, latent channels].</param>
    /// <returns>[n, 8h, 8w, image channels].</returns>
    public Value Forward(Value x) => Record(x, () =>
    {
        x = midBlock.Forward(convIn.Forward(x));
        foreach (var block in upBlocks) x = block.Forward(x);
        return convOut.Forward(Functional.Silu(normOut.Forward(x)));
    });
}
