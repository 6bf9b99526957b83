using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>A range of one dimension: entries start … start + length − 1, with all other dimensions whole.</summary>
/// <param name="Axis">The dimension; −1 is the innermost.</param>
/// <param name="Start">The first entry.</param>
/// <param name="Length">Number of entries.</param>
public sealed record Slice(int Axis, int Start, int Length) : Op
{
    private static readonly KernelSet Set = new("slice", CpuKernel.VariantOfAnyType("cpu/copy", SliceCpu.Bind), SliceGpu.Variant);

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
        Check(Start >= 0 && Length > 0 && (inputs[0].Shape[axis].Constant is not { } size || Start + (long)Length <= size),
            "range", $"{Start}..{Start + (long)Length}", $"inside dimension {axis} of {inputs[0]}");
        return inputs[0] with { Shape = inputs[0].Shape.SetItem(axis, Length) };
    }
}
