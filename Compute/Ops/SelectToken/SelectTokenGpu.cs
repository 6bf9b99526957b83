using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One element per work item. An index outside the sequence gives a row of NaN and reads nothing: a kernel cannot throw, and zeros would
/// hide the error.
/// </summary>
internal static class SelectTokenGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/copy", signature => new GpuKernel(
        KernelSource.Of(typeof(SelectTokenGpu), nameof(Kernel), ElementGrid.GroupSize, GpuElements.Of(signature.Output.DType)),
        call =>
        {
            var (x, index, y) = (call.Inputs[0], call.Inputs[1], call.Output);
            var grid = ElementGrid.Of(y.Rows, y.Width);
            var views = new GpuArguments().View("x", x).View("index", index).View("y", y);
            return (grid.Groups, grid.Arguments(views, [("xPitch", x), ("yPitch", y)]).Int("tokens", x.Shape[1]));
        }));

    internal static void Kernel<T, E>(ArrayView<T> x, ArrayView<int> index, ArrayView<T> y, int rows, int width, int shift,
        int columnBlocks, int xPitch, int yPitch, int tokens)
        where T : unmanaged where E : struct, IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int token = Int32Index.Within(index[row], tokens);
        T value = E.Narrow(Interop.IntAsFloat(0x7FC00000u));
        if (token >= 0) value = x[(row * tokens + token) * xPitch + column];
        y[row * yPitch + column] = value;
    }
}
