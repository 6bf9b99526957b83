using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One element of the result per work item; both halves of a row are read once.</summary>
internal static class GeGluGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature => new GpuKernel(call =>
    {
        var (x, y) = (call.Inputs[0], call.Output);
        var (grid, access) = ElementGrid.Of(y.Rows, y.Width).Widened(call, x, y);
        var source = KernelSource.Of(typeof(GeGluGpu), nameof(Kernel), ElementGrid.GroupSize, [.. GpuElements.Of(y.DType), access]);
        return [new(source, grid.Groups, grid.Arguments(new GpuArguments().View("x", x).View("y", y), [("xPitch", x), ("yPitch", y)]))];
    }));

    internal static void Kernel<T, E, TAccess>(ArrayView<T> x, ArrayView<T> y, int rows, int width, int shift, int columnBlocks, int xPitch,
        int yPitch)
        where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        if (TAccess.Wide)
        {
            int first = row * xPitch + 4 * column;
            Float4 h = E.Widen4(E.Fetch4(x, first)), g = E.Widen4(E.Fetch4(x, first + 4 * width));
            E.Store4(y, row * yPitch + 4 * column,
                h * new Float4(DeviceFunctions.Gelu(g.X), DeviceFunctions.Gelu(g.Y), DeviceFunctions.Gelu(g.Z), DeviceFunctions.Gelu(g.W)));
            return;
        }

        int at = row * xPitch + column;
        y[row * yPitch + column] = E.Narrow(E.Widen(x[at]) * DeviceFunctions.Gelu(E.Widen(x[at + width])));
    }
}
