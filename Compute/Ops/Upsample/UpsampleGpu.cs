using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One element per work item, with PyTorch's float32 positions.</summary>
internal static class UpsampleGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature =>
    {
        bool nearest = ((Upsample)signature.Op).Interpolation == Interpolation.Nearest;
        var source = KernelSource.Of(typeof(UpsampleGpu), nearest ? nameof(Nearest) : nameof(Bilinear), ElementGrid.GroupSize,
            GpuElements.Of(signature.Output.DType));
        return new GpuKernel(source, Bind);
    });

    private static (GpuGrid, GpuArguments) Bind(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Output);
        var grid = ElementGrid.Of(y.Rows, y.Width);
        return (grid.Groups, grid.Arguments(new GpuArguments().View("x", x).View("y", y), [("xPitch", x), ("yPitch", y)])
            .Int("fromHeight", x.Shape[1]).Int("fromWidth", x.Shape[2]).Int("toHeight", y.Shape[1]).Int("toWidth", y.Shape[2])
            .Float("vertical", (float)x.Shape[1] / y.Shape[1]).Float("horizontal", (float)x.Shape[2] / y.Shape[2]));
    }

    internal static void Nearest<T, E>(
        ArrayView<T> x, ArrayView<T> y, int rows, int width, int shift, int columnBlocks, int xPitch, int yPitch,
        int fromHeight, int fromWidth, int toHeight, int toWidth, float vertical, float horizontal) where T : unmanaged where E : struct,
            IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int line = row / toWidth, image = line / toHeight, up = (int)((line - image * toHeight) * vertical),
            left = (int)((row - line * toWidth) * horizontal);
        up = up < fromHeight ? up : fromHeight - 1;
        left = left < fromWidth ? left : fromWidth - 1;
        y[row * yPitch + column] = x[((image * fromHeight + up) * fromWidth + left) * xPitch + column];
    }

    internal static void Bilinear<T, E>(
        ArrayView<T> x, ArrayView<T> y, int rows, int width, int shift, int columnBlocks, int xPitch, int yPitch,
        int fromHeight, int fromWidth, int toHeight, int toWidth, float vertical, float horizontal) where T : unmanaged where E : struct,
            IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int line = row / toWidth, image = line / toHeight;
        float down = (line - image * toHeight + 0.5f) * vertical - 0.5f, right = (row - line * toWidth + 0.5f) * horizontal - 0.5f;
        down = down < 0f ? 0f : down;
        right = right < 0f ? 0f : right;
        int up = (int)down, left = (int)right;
        up = up < fromHeight ? up : fromHeight - 1;
        left = left < fromWidth ? left : fromWidth - 1;
        down -= up;
        right -= left;
        int above = (image * fromHeight + up) * fromWidth, below = up + 1 < fromHeight ? above + fromWidth : above,
            next = left + 1 < fromWidth ? left + 1 : left;
        float top = E.Widen(x[(above + left) * xPitch + column]) * (1f - right) + E.Widen(x[(above + next) * xPitch + column]) * right;
        float bottom = E.Widen(x[(below + left) * xPitch + column]) * (1f - right) + E.Widen(x[(below + next) * xPitch + column]) * right;
        y[row * yPitch + column] = E.Narrow(top * (1f - down) + bottom * down);
    }
}
