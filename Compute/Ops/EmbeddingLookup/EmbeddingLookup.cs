using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Looks up rows of a table: y[…] = table[ids[…]], widened to float32. table [v, c] in any float type, ids […] Int32 or Int64 → […, c].
/// </summary>
/// <remarks>An id outside 0 … v − 1 throws <see cref="ArgumentOutOfRangeException"/> when the op runs on the CPU; the message names the id
/// and v.</remarks>
public sealed record EmbeddingLookup : Op
{
    private static readonly KernelSet Set = new("embedding", CpuKernel.VariantOfAnyType("cpu/copy", EmbeddingLookupCpu.Bind),
        EmbeddingLookupGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 2);
        Check(inputs[0].DType.IsFloat() && inputs[0].Rank == 2, "table", inputs[0], "[entries, channels] in Float32, Float16 or BFloat16");
        Check(inputs[1].DType is DType.Int32 or DType.Int64, "ids", inputs[1], "Int32 or Int64");
        return new TensorType(DType.Float32, inputs[1].Shape.Add(inputs[0].Last));
    }
}
