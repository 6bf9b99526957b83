using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Copies rows between views in blocks: block i of the target takes its rows from block i of the source. Concatenation, slicing and
/// chunking along any dimension are such copies.
/// </summary>
/// <param name="Source">The view to copy from.</param>
/// <param name="Target">The view to copy to; it has the same element type.</param>
/// <param name="Rows">Rows of one block.</param>
/// <param name="Width">Elements of one row.</param>
/// <param name="SourceBlock">Rows from one block of the source to the next.</param>
/// <param name="TargetBlock">Rows from one block of the target to the next.</param>
/// <param name="SourceStart">First row of the first block in the source.</param>
/// <param name="TargetStart">First row of the first block in the target.</param>
/// <param name="SourceColumn">First column in the source.</param>
/// <param name="TargetColumn">First column in the target.</param>
internal sealed unsafe record BlockCopy(
    Tensor Source, Tensor Target, int Rows, int Width, int SourceBlock, int TargetBlock,
    int SourceStart = 0, int TargetStart = 0, int SourceColumn = 0, int TargetColumn = 0)
{
    /// <summary>Whether source and target are the same memory, so that there is nothing to copy.</summary>
    public bool IsInPlace =>
        ReferenceEquals(Source.Buffer, Target.Buffer) && Source.RowPitch == Target.RowPitch
            && (SourceBlock == TargetBlock || Rows == Source.Rows)
        && Source.Offset + ((long)SourceStart * Source.RowPitch + SourceColumn) * Source.DType.Size() == Target.Offset
            + ((long)TargetStart * Target.RowPitch + TargetColumn) * Target.DType.Size();

    /// <summary>Copies one row; <paramref name="row"/> counts over all blocks.</summary>
    public void Row(int row)
    {
        var (block, line) = Math.DivRem(row, Rows);
        int size = Source.DType.Size(), bytes = Width * size;
        byte* source = Source.Pointer<byte>() + (((long)block * SourceBlock + SourceStart + line) * Source.RowPitch + SourceColumn) * size;
        byte* target = Target.Pointer<byte>() + (((long)block * TargetBlock + TargetStart + line) * Target.RowPitch + TargetColumn) * size;
        new ReadOnlySpan<byte>(source, bytes).CopyTo(new Span<byte>(target, bytes));
    }
}
