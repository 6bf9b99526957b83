using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One line of one image at a time: a [channels, width] plane with separate rows on one side, [width, channels] on the other. Pixels are
/// processed in blocks, so that both sides stay in the L1 cache. Element by element: an image is transposed only at the API, once.
/// </summary>
internal static class TransposeCpu
{
    private const int BlockPixels = 64;

    public static Launch BindToNhwc(OpCall call) => new Lines(call, call.Inputs[0], call.Output, toNhwc: true);

    public static Launch BindToNchw(OpCall call) => new Lines(call, call.Output, call.Inputs[0], toNhwc: false);

    private sealed unsafe class Lines(OpCall call, Tensor nchw, Tensor nhwc, bool toNhwc)
        : RowLaunch(call, nhwc.Shape[0] * nhwc.Shape[1], (long)nhwc.Shape[2] * nhwc.Width)
    {
        private readonly int channels = nhwc.Width, height = nhwc.Shape[1], width = nhwc.Shape[2];

        protected override void Row(int row)
        {
            var (image, line) = Math.DivRem(row, height);
            long plane = (long)height * nchw.RowPitch;
            float* planar = nchw.Pointer<float>() + image * channels * plane + (long)line * nchw.RowPitch;
            float* mixed = nhwc.Pointer<float>() + (long)row * width * nhwc.RowPitch;
            for (int first = 0; first < width; first += BlockPixels)
            {
                int last = Math.Min(first + BlockPixels, width);
                for (int c = 0; c < channels; c++)
                {
                    float* a = planar + c * plane, b = mixed + c;
                    if (toNhwc)
                    {
                        for (int i = first; i < last; i++) b[(long)i * nhwc.RowPitch] = a[i];
                    }
                    else
                    {
                        for (int i = first; i < last; i++) a[i] = b[(long)i * nhwc.RowPitch];
                    }
                }
            }
        }
    }
}
