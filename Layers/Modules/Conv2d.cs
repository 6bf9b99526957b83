using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>Two-dimensional convolution with zero padding, as torch.nn.Conv2d, over images [n, h, w, c].</summary>
public sealed class Conv2d : QuantizableLayer
{
    private readonly Conv2D op;
    private readonly int kernelSize;

    /// <summary>Declares <c>weight</c> [out, in, kernel, kernel] and <c>bias</c> [out].</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="stride">Step of the kernel, both ways.</param>
    /// <param name="padding">Rows and columns of zeros on every side.</param>
    /// <param name="extraPadding">Further zeros at the bottom and the right only, as in the VAE's downsampling.</param>
    public Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int extraPadding = 0)
        : base(inChannels, outChannels, bias: true, kernelSize, kernelSize)
    {
        this.kernelSize = kernelSize;
        op = new Conv2D(stride, padding, padding + extraPadding);
    }

    /// <summary>Whether it is a linear layer over each pixel's channels: a 1×1 kernel with stride 1 and without padding.</summary>
    public override bool CanQuantize => kernelSize == 1 && op is { Stride: 1, PaddingBefore: 0, PaddingAfter: 0 };

    /// <summary>Records the convolution.</summary>
    /// <param name="x">[n, h, w, in].</param>
    /// <returns>[n, h', w', out].</returns>
    public Value Forward(Value x) => Multiply(x, op);
}
