using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One line of blocks at a time, element by element: latents are small.</summary>
internal static class PixelShuffleCpu
{
    public static Launch BindUnshuffle(OpCall call) =>
        new Lines(call, image: call.Inputs[0], packed: call.Output, ((PixelUnshuffle)call.Op).Factor, unshuffle: true);

    public static Launch BindShuffle(OpCall call) =>
        new Lines(call, image: call.Output, packed: call.Inputs[0], ((PixelShuffle)call.Op).Factor, unshuffle: false);

    private sealed unsafe class Lines(OpCall call, Tensor image, Tensor packed, int factor, bool unshuffle)
        : RowLaunch(call, packed.Shape[0] * packed.Shape[1], (long)packed.Shape[2] * packed.Width)
    {
        private readonly int blocks = packed.Shape[2], channels = image.Width, width = image.Shape[2];

        // A row is a line of blocks, counted over all images; in the image it is factor lines of pixels.
        protected override void Row(int row)
        {
            float* block = packed.Pointer<float>() + (long)row * blocks * packed.RowPitch;
            for (int column = 0; column < blocks; column++, block += packed.RowPitch)
            {
                for (int place = 0; place < factor * factor; place++)
                {
                    var (a, b) = Math.DivRem(place, factor);
                    float* pixel = image.Pointer<float>() + (((long)row * factor + a) * width + (long)column * factor + b) * image.RowPitch;
                    Copy(pixel, block + place);
                }
            }
        }

        // A channel's elements of one block are contiguous in the packed tensor, so the next channel of a pixel is factor² further on.
        private void Copy(float* pixel, float* places)
        {
            long step = (long)factor * factor;
            if (unshuffle)
            {
                for (int c = 0; c < channels; c++) places[c * step] = pixel[c];
            }
            else
            {
                for (int c = 0; c < channels; c++) pixel[c] = places[c * step];
            }
        }
    }
}
