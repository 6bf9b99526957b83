using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>Halves height and width by a 3×3 convolution of stride 2. Diffusers' Downsample2D.</summary>
public sealed class Downsample2D : Layer
{
    private readonly Conv2d conv;

    /// <summary>Declares <c>conv</c>.</summary>
    /// <param name="channels">Channels before and after.</param>
    /// <param name="padding">Zeros on every side; 0 means one row and one column of zeros at the bottom and the right only, as in the
    /// VAE.</param>
    public Downsample2D(int channels, int padding) =>
        conv = Child("conv", new Conv2d(channels, channels, 3, stride: 2, padding: padding, extraPadding: padding == 0 ? 1 : 0));

    /// <summary>Records the convolution.</summary>
    /// <param name="x">[n, h, w, channels].</param>
    /// <returns>[n, h', w', channels]; with padding 1, h' = ⌈h / 2⌉.</returns>
    public Value Forward(Value x) => Record(x, () => conv.Forward(x));
}
