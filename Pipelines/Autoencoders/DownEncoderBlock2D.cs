using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Residual blocks at one resolution of the encoder, then half the resolution: diffusers' DownEncoderBlock2D.</summary>
internal sealed class DownEncoderBlock2D : Layer
{
    private readonly IReadOnlyList<ResnetBlock2D> resnets;
    private readonly Downsample2D? downsampler;

    /// <summary>Declares <c>resnets.N</c> and, except at the coarsest resolution, <c>downsamplers.0</c>.</summary>
    public DownEncoderBlock2D(AutoencoderConfig config, int inChannels, int outChannels, bool downsample)
    {
        resnets = ChildList("resnets",
            Enumerable.Range(0, config.LayersPerBlock)
                .Select(i => VaeMidBlock.Resnet(config, i == 0 ? inChannels : outChannels, outChannels)));
        if (downsample) downsampler = Child("downsamplers.0", new Downsample2D(outChannels, padding: 0));
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, in].</param>
    /// <returns>[n, h / 2, w / 2, out], or [n, h, w, out] at the coarsest resolution.</returns>
    public Value Forward(Value x) => Record(x, () =>
    {
        foreach (var resnet in resnets) x = resnet.Forward(x);
        return downsampler is null ? x : downsampler.Forward(x);
    });
}
