using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// A convolution's left operand: one row per result pixel, with one run per kernel position. Runs are read from the image in place, or from
/// a row of zeros in the padding, so that the im2col matrix never exists.
/// </summary>
internal sealed unsafe class Im2colRows : GemmRows
{
    private readonly SeenImage image;
    private readonly int outHeight, outWidth, kernelWidth, stride, padding;

    /// <summary>im2col rows of an image [n, h, w, c] for results [n, h', w', …].</summary>
    public Im2colRows(SeenImage image, Shape output, int kernelHeight, int kernelWidth, int stride, int padding)
    {
        (this.image, outHeight, outWidth) = (image, output[1], output[2]);
        (this.kernelWidth, this.stride, this.padding) = (kernelWidth, stride, padding);
        (Count, KernelPositions, Channels) = (output.Rows, kernelHeight * kernelWidth, image.Channels);
    }

    public override int Count { get; }

    public override int KernelPositions { get; }

    public override int Channels { get; }

    [MethodImpl(Jit.Kernel)]
    public override void Find(int position, int first, int count, byte** addresses)
    {
        int down = position / kernelWidth - padding, right = position % kernelWidth - padding;
        int x = first % outWidth, y = first / outWidth % outHeight, n = first / outWidth / outHeight;
        bool inRow = first + count <= Count && x + count <= outWidth;
        if (image.IsWhole && inRow && (uint)(y * stride + down) < (uint)image.Height && x * stride + right >= 0
            && (x + count - 1) * stride + right < image.Width)
        {
            float* from = image.Inside(n, y * stride + down, x * stride + right);
            for (int i = 0; i < count; i++, from += stride * image.Pitch) addresses[i] = (byte*)from;
            return;
        }

        for (int i = 0; i < count; i++)
        {
            addresses[i] = (byte*)image.At(n, y * stride + down, x * stride + right);
            if (first + i + 1 >= Count || ++x < outWidth) continue; // past the last row it is repeated
            x = 0;
            if (++y < outHeight) continue;
            (y, n) = (0, n + 1);
        }
    }
}
