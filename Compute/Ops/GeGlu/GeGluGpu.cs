using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>One element of the result to a work item: both halves of a row are read once.</summary>
internal static class GeGluGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature => new GpuKernel(
        KernelSource.Of(typeof(GeGluGpu), nameof(Kernel), ElementGrid.GroupSize, GpuElements.Of(signature.Output.DType)),
        call =>
        {
            var (x, y) = (call.Inputs[0], call.Output);
            var grid = ElementGrid.Of(y.Rows, y.Width);
            return (grid.Groups, grid.Arguments(new GpuArguments().View(x).View(y), x, y));
        }));

    internal static void Kernel<T, E>(ArrayView<T> x, ArrayView<T> y, int rows, int width, int shift, int columnBlocks, int xPitch, int yPitch)
        where T : unmanaged where E : struct, IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int at = row * xPitch + column;
        y[row * yPitch + column] = E.Narrow(E.Widen(x[at]) * DeviceFunctions.Gelu(E.Widen(x[at + width])));
    }
}
