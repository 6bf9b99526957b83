using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>
/// Two 3×3 convolutions, each after a group normalisation, with the time embedding added between them and a residual connection. Diffusers'
/// ResnetBlock2D.
/// </summary>
public sealed class ResnetBlock2D : Layer
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv2d conv1, conv2;
    private readonly Linear? timeEmbProj;
    private readonly Conv2d? convShortcut;

    /// <summary>
    /// Declares <c>norm1</c>, <c>conv1</c>, <c>norm2</c>, <c>conv2</c>; with time <c>time_emb_proj</c>; if the channels change
    /// <c>conv_shortcut</c>.
    /// </summary>
    public ResnetBlock2D(int inChannels, int outChannels, ResnetOptions options)
    {
        norm1 = Child("norm1", new GroupNorm(options.NormGroups, inChannels, options.NormEpsilon));
        conv1 = Child("conv1", new Conv2d(inChannels, outChannels, 3, padding: 1));
        timeEmbProj = options.TimeChannels is { } time ? Child("time_emb_proj", new Linear(time, outChannels)) : null;
        norm2 = Child("norm2", new GroupNorm(options.NormGroups, outChannels, options.NormEpsilon));
        conv2 = Child("conv2", new Conv2d(outChannels, outChannels, 3, padding: 1));
        convShortcut = inChannels != outChannels ? Child("conv_shortcut", new Conv2d(inChannels, outChannels, 1)) : null;
    }

    /// <summary>Records the block.</summary>
    /// <param name="x">[n, h, w, in].</param>
    /// <param name="time">The time embedding as an image of one pixel, [n, 1, 1, time channels]; required if and only if the block has time
    /// channels.</param>
    /// <returns>[n, h, w, out].</returns>
    public Value Forward(Value x, Value? time = null) => Record(x, () =>
    {
        if (time is null != timeEmbProj is null)
            throw new ArgumentException($"{Path} {(time is null ? "needs a" : "does not take a")} time embedding.", nameof(time));
        // before norm1, so that norm1 may overwrite x if nothing else needs it
        var skip = convShortcut is null ? x : convShortcut.Forward(x);
        var h = conv1.Forward(Silu(norm1.Forward(x)));
        if (time is not null) h += timeEmbProj!.Forward(Silu(time));
        h = conv2.Forward(Silu(norm2.Forward(h)));
        return h + skip;
    });
}
