using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>Nearest-neighbour upsampling followed by a 3×3 convolution. Diffusers' Upsample2D.</summary>
public sealed class Upsample2D : Layer
{
    private readonly Conv2d conv;

    /// <summary>Declares <c>conv</c>.</summary>
    public Upsample2D(int channels) => conv = Child("conv", new Conv2d(channels, channels, 3, padding: 1));

    /// <summary>Records the upsampling.</summary>
    /// <param name="x">[n, h, w, channels].</param>
    /// <param name="like">An image whose height and width the result takes; null doubles both.</param>
    /// <returns>[n, h', w', channels].</returns>
    public Value Forward(Value x, Value? like = null) => Record(x, () => conv.Forward(Upsample(x, like)));
}
