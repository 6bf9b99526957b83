using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One element per work item; consecutive work items have consecutive elements of the image, where no division by channels is needed.
/// </summary>
internal static class PixelShuffleGpu
{
    public static KernelVariant Unshuffle { get; } =
        Of(nameof(ToBlocks), call => (Image: call.Inputs[0], Packed: call.Output, ((PixelUnshuffle)call.Op).Factor));

    public static KernelVariant Shuffle { get; } =
        Of(nameof(FromBlocks), call => (Image: call.Output, Packed: call.Inputs[0], ((PixelShuffle)call.Op).Factor));

    private static KernelVariant Of(string name, Func<OpCall, (Tensor Image, Tensor Packed, int Factor)> arguments) =>
        GpuKernel.Variant("gpu/map", signature => new GpuKernel(
            KernelSource.Of(typeof(PixelShuffleGpu), name, ElementGrid.GroupSize, GpuElements.Bits(signature.Output.DType)),
            call =>
            {
                var (image, packed, factor) = arguments(call);
                var grid = ElementGrid.Of(image.Rows, image.Width);
                var views = new GpuArguments().View("image", image).View("packed", packed);
                return (grid.Groups, grid.Arguments(views, [("imagePitch", image), ("packedPitch", packed)], widthName: "channels")
                    .Int("width", image.Shape[2]).Int("factor", factor));
            }));

    internal static void ToBlocks<T>(
        ArrayView<T> image, ArrayView<T> packed, int rows, int channels, int shift, int columnBlocks,
        int imagePitch, int packedPitch, int width, int factor)
        where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        packed[Place(row, channel, packedPitch, width, factor)] = image[row * imagePitch + channel];
    }

    internal static void FromBlocks<T>(
        ArrayView<T> image, ArrayView<T> packed, int rows, int channels, int shift, int columnBlocks,
        int imagePitch, int packedPitch, int width, int factor)
        where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        image[row * imagePitch + channel] = packed[Place(row, channel, packedPitch, width, factor)];
    }

    /// <summary>
    /// Offset of a channel of pixel <paramref name="row"/> in the packed tensor. Rows are counted over all images, as lines of blocks can
    /// be, because the factor divides the heights.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Place(int row, int channel, int packedPitch, int width, int factor)
    {
        int line = row / width, column = row - line * width, blockLine = line / factor, blockColumn = column / factor;
        int place = (line - blockLine * factor) * factor + column - blockColumn * factor;
        return (blockLine * (width / factor) + blockColumn) * packedPitch + channel * factor * factor + place;
    }
}
