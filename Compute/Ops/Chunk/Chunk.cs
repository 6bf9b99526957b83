using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One of several equal parts of a dimension, as torch.chunk: part <paramref name="Index"/> of <paramref name="Count"/>. Unlike
/// <see cref="Slice"/> it supports symbolic sizes.
/// </summary>
/// <param name="Axis">The dimension; −1 is the innermost.</param>
/// <param name="Index">Which part, 0 … Count − 1.</param>
/// <param name="Count">Number of parts; must divide the dimension.</param>
public sealed record Chunk(int Axis, int Index, int Count) : Op
{
    private static readonly KernelSet Set = new("chunk", CpuKernel.VariantOfAnyType("cpu/copy", ChunkCpu.Bind), ChunkGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        int rank = inputs[0].Rank, axis = Axis < 0 ? Axis + rank : Axis;
        Check(axis >= 0 && axis < rank, "axis", Axis, $"a dimension of {inputs[0]}");
        Check(Count > 0 && Index >= 0 && Index < Count, "index", $"{Index} of {Count}", "0 to count - 1");
        Check(inputs[0].Shape[axis].Constant is not { } size || size % Count == 0, "x", inputs[0],
            $"divisible by {Count} in dimension {axis}");
        return inputs[0] with { Shape = inputs[0].Shape.SetItem(axis, inputs[0].Shape[axis] / Count) };
    }
}
