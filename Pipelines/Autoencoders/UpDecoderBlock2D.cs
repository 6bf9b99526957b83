using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Residual blocks at one resolution of the decoder, then twice the resolution: diffusers' UpDecoderBlock2D.</summary>
internal sealed class UpDecoderBlock2D : Layer
{
    private readonly IReadOnlyList<ResnetBlock2D> resnets;
    private readonly Upsample2D? upsampler;

    /// <summary>Declares <c>resnets.N</c> and, except at the finest resolution, <c>upsamplers.0</c>.</summary>
    public UpDecoderBlock2D(AutoencoderConfig config, int inChannels, int outChannels, bool upsample)
    {
        resnets = ChildList("resnets",
            Enumerable.Range(0, config.LayersPerBlock + 1)
                .Select(i => VaeMidBlock.Resnet(config, i == 0 ? inChannels : outChannels, outChannels)));
        if (upsample) upsampler = Child("upsamplers.0", new Upsample2D(outChannels));
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, in].</param>
    /// <returns>[n, 2h, 2w, out], or [n, h, w, out] at the finest resolution.</returns>
    public Value Forward(Value x) => Record(x, () =>
    {
        foreach (var resnet in resnets) x = resnet.Forward(x);
        return upsampler is null ? x : upsampler.Forward(x);
    });
}
