using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// A convolution's left operand: one row per result pixel, one tap per place of the kernel. Taps are read from the image itself, and from a
/// row of zeros where they lie outside it, so that the matrix of neighbourhoods never exists.
/// </summary>
internal sealed unsafe class NeighbourhoodRows : GemmRows
{
    private readonly float* image, zeros;
    private readonly float[] zeroRow; // keeps the memory that zeros points to
    private readonly int height, width, outHeight, outWidth, kernelWidth, stride, padding;
    private readonly nint pitch;

    /// <summary>Describes the neighbourhoods of an image [n, h, w, c] for results [n, h', w', …].</summary>
    public NeighbourhoodRows(Tensor x, Shape output, int kernelHeight, int kernelWidth, int stride, int padding)
    {
        image = x.Pointer<float>();
        (pitch, Channels) = (x.RowPitch, x.Width);
        (height, width, outHeight, outWidth) = (x.Shape[1], x.Shape[2], output[1], output[2]);
        (this.kernelWidth, this.stride, this.padding) = (kernelWidth, stride, padding);
        (Count, Taps) = (output.Rows, kernelHeight * kernelWidth);
        zeroRow = GC.AllocateArray<float>(Channels, pinned: true);
        fixed (float* start = zeroRow) zeros = start;
    }

    public override int Count { get; }

    public override int Taps { get; }

    public override int Channels { get; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Find(int tap, int first, int count, byte** addresses)
    {
        int down = tap / kernelWidth - padding, right = tap % kernelWidth - padding;
        int x = first % outWidth, y = first / outWidth % outHeight, n = first / outWidth / outHeight;
        bool inRow = first + count <= Count && x + count <= outWidth;
        if (inRow && (uint)(y * stride + down) < (uint)height && x * stride + right >= 0 && (x + count - 1) * stride + right < width)
        {
            float* from = image + (((nint)n * height + y * stride + down) * width + x * stride + right) * pitch;
            for (int i = 0; i < count; i++, from += stride * pitch) addresses[i] = (byte*)from;
            return;
        }

        for (int i = 0; i < count; i++)
        {
            int fromX = x * stride + right, fromY = y * stride + down;
            bool inside = (uint)fromX < (uint)width && (uint)fromY < (uint)height;
            addresses[i] = (byte*)(inside ? image + (((nint)n * height + fromY) * width + fromX) * pitch : zeros);
            if (first + i + 1 >= Count || ++x < outWidth) continue; // past the last row it is repeated
            x = 0;
            if (++y < outHeight) continue;
            (y, n) = (0, n + 1);
        }
    }
}
