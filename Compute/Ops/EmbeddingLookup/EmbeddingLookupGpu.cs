using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One element per work item. An id outside the table gives a row of NaN and reads nothing: a kernel cannot throw, and zeros would hide the
/// error. Text encoders check ids before they upload them.
/// </summary>
internal static class EmbeddingLookupGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/copy", signature =>
    {
        Type[] index = signature.Inputs[1].DType == DType.Int64 ? [typeof(long), typeof(Int64Index)] : [typeof(int), typeof(Int32Index)];
        return new GpuKernel(KernelSource.Of(typeof(EmbeddingLookupGpu), nameof(Kernel), ElementGrid.GroupSize,
            [.. GpuElements.Of(signature.Inputs[0].DType), .. index]), Bind);
    });

    private static (GpuGrid, GpuArguments) Bind(OpCall call)
    {
        var (table, ids, y) = (call.Inputs[0], call.Inputs[1], call.Output);
        var grid = ElementGrid.Of(y.Rows, y.Width);
        var views = new GpuArguments().View("table", table).View("ids", ids).View("y", y);
        return (grid.Groups, grid.Arguments(views, [("tablePitch", table), ("yPitch", y)])
            .Int("entries", table.Rows).Int("idsWidth", ids.Width).Int("idsPitch", ids.RowPitch));
    }

    internal static void Kernel<T, E, TIndex, EIndex>(
        ArrayView<T> table, ArrayView<TIndex> ids, ArrayView<float> y, int rows, int width, int shift, int columnBlocks, int tablePitch,
            int yPitch, int entries, int idsWidth, int idsPitch)
        where T : unmanaged where E : struct, IElement<T> where TIndex : unmanaged where EIndex : struct, IIndex<TIndex>
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int id = EIndex.Within(ids[row / idsWidth * idsPitch + row % idsWidth], entries);
        y[row * yPitch + column] = id < 0 ? Interop.IntAsFloat(0x7FC00000u) : E.Widen(table[(id < 0 ? 0 : id) * tablePitch + column]);
    }
}
