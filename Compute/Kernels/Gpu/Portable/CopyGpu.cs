using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Runs <see cref="BlockCopy"/>s: one kernel for all element types of one size.</summary>
internal static class CopyGpu
{
    private const int SixteenBytes = 16;

    /// <summary>A variant with one launch per copy.</summary>
    public static KernelVariant Variant(Func<OpCall, IEnumerable<BlockCopy>> copies) => GpuKernel.Variant("gpu/copy", signature =>
    {
        Type bits = GpuElements.Bits(signature.Output.DType);
        return new GpuKernel(call => copies(call).Where(copy => copy.Source.Shape.Count > 0).Select(copy => Stage(call, bits, copy)));
    });

    /// <summary>Copies in units of 16 bytes if all pitches and columns allow it; pitches and columns then count these units.</summary>
    private static LaunchSpecification Stage(OpCall call, Type bits, BlockCopy copy)
    {
        int size = copy.Target.DType.Size(), together = IsWide(call, copy) ? SixteenBytes / size : 1;
        int rows = copy.Rows * (Math.Max(copy.Target.Rows, 1) / copy.TargetBlock);
        var grid = ElementGrid.Of(rows, copy.Width / together);
        var source = KernelSource.Of(typeof(CopyGpu), nameof(Kernel), ElementGrid.GroupSize, together == 1 ? bits : typeof(Float4));
        return new(source, grid.Groups, grid.Numbers(new GpuArguments().View("source", copy.Source).View("target", copy.Target))
            .Int("sourcePitch", ElementGrid.Indexed(copy.Source).RowPitch / together)
            .Int("targetPitch", ElementGrid.Indexed(copy.Target).RowPitch / together)
            .Int("blockRows", copy.Rows).Int("sourceBlock", copy.SourceBlock).Int("targetBlock", copy.TargetBlock)
            .Int("sourceStart", copy.SourceStart).Int("targetStart", copy.TargetStart)
            .Int("sourceColumn", copy.SourceColumn / together).Int("targetColumn", copy.TargetColumn / together));
    }

    private static bool IsWide(OpCall call, BlockCopy copy)
    {
        int size = copy.Target.DType.Size();
        bool Whole(long elements) => elements * size % SixteenBytes == 0;
        return (!GpuKernel.IsProcessor(call.Device) || call.Settings[Access.Everywhere] != 0)
            && Whole(copy.Width) && Whole(copy.SourceColumn) && Whole(copy.TargetColumn) && Whole(copy.Source.RowPitch)
                && Whole(copy.Target.RowPitch)
            && copy.Source.Offset % SixteenBytes == 0 && copy.Target.Offset % SixteenBytes == 0;
    }

    internal static void Kernel<T>(
        ArrayView<T> source, ArrayView<T> target, int rows, int width, int shift, int columnBlocks, int sourcePitch, int targetPitch,
        int blockRows, int sourceBlock, int targetBlock, int sourceStart, int targetStart, int sourceColumn, int targetColumn)
            where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int block = row / blockRows, line = row - block * blockRows;
        target[(block * targetBlock + targetStart + line) * targetPitch + targetColumn + column] =
            source[(block * sourceBlock + sourceStart + line) * sourcePitch + sourceColumn + column];
    }
}
