using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One element per work item; consecutive work items have consecutive elements on the channels-last side. An image is transposed only at
/// the API, once.
/// </summary>
internal static class TransposeGpu
{
    public static KernelVariant ToNhwc { get; } = Of(nameof(FromPlanes), call => call.Output, call => call.Inputs[0]);

    public static KernelVariant ToNchw { get; } = Of(nameof(ToPlanes), call => call.Inputs[0], call => call.Output);

    private static KernelVariant Of(string name, Func<OpCall, Tensor> mixed, Func<OpCall, Tensor> planar) =>
        GpuKernel.Variant("gpu/map", signature => new GpuKernel(
        KernelSource.Of(typeof(TransposeGpu), name, ElementGrid.GroupSize, GpuElements.Bits(signature.Output.DType)),
        call =>
        {
            var (nhwc, nchw) = (mixed(call), planar(call));
            var grid = ElementGrid.Of(nhwc.Rows, nhwc.Width);
            var views = new GpuArguments().View("planes", nchw).View("mixed", nhwc);
            return (grid.Groups, grid.Arguments(views, [("planePitch", nchw), ("mixedPitch", nhwc)], widthName: "channels")
                .Int("height", nhwc.Shape[1]).Int("width", nhwc.Shape[2]));
        }));

    internal static void FromPlanes<T>(ArrayView<T> planes, ArrayView<T> mixed, int rows, int channels, int shift, int columnBlocks,
        int planePitch, int mixedPitch, int height, int width) where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        int line = row / width, image = line / height;
        mixed[row * mixedPitch + channel] =
            planes[((image * channels + channel) * height + line - image * height) * planePitch + row - line * width];
    }

    internal static void ToPlanes<T>(ArrayView<T> planes, ArrayView<T> mixed, int rows, int channels, int shift, int columnBlocks,
        int planePitch, int mixedPitch, int height, int width) where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        int line = row / width, image = line / height;
        planes[((image * channels + channel) * height + line - image * height) * planePitch + row - line * width] =
            mixed[row * mixedPitch + channel];
    }
}
