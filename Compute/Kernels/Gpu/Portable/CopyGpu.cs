using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>Runs <see cref="BlockCopy"/>s: one kernel for all element types of one size, since bits only move.</summary>
internal static class CopyGpu
{
    /// <summary>A variant that makes some copies, one launch each.</summary>
    public static KernelVariant Variant(Func<OpCall, IEnumerable<BlockCopy>> copies) => GpuKernel.Variant("gpu/copy", signature =>
    {
        var source = KernelSource.Of(typeof(CopyGpu), nameof(Kernel), ElementGrid.GroupSize, GpuElements.Bits(signature.Output.DType));
        return new GpuKernel(call => copies(call).Where(copy => copy.Source.Shape.Count > 0).Select(copy => Stage(source, copy)));
    });

    private static GpuStage Stage(KernelSource source, BlockCopy copy)
    {
        int rows = copy.Rows * (Math.Max(copy.Target.Rows, 1) / copy.TargetBlock);
        var grid = ElementGrid.Of(rows, copy.Width);
        return new(source, grid.Groups, grid.Arguments(new GpuArguments().View(copy.Source).View(copy.Target), copy.Source, copy.Target)
            .Int(copy.Rows).Int(copy.SourceBlock).Int(copy.TargetBlock).Int(copy.SourceStart).Int(copy.TargetStart).Int(copy.SourceColumn).Int(copy.TargetColumn));
    }

    internal static void Kernel<T>(
        ArrayView<T> source, ArrayView<T> target, int rows, int width, int shift, int columnBlocks, int sourcePitch, int targetPitch,
        int blockRows, int sourceBlock, int targetBlock, int sourceStart, int targetStart, int sourceColumn, int targetColumn) where T : unmanaged
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int block = row / blockRows, line = row - block * blockRows;
        target[(block * targetBlock + targetStart + line) * targetPitch + targetColumn + column] =
            source[(block * sourceBlock + sourceStart + line) * sourcePitch + sourceColumn + column];
    }
}
