using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Concatenates the arguments along one dimension; all other sizes and the element types must be equal.</summary>
/// <param name="Axis">The dimension; −1 is the innermost.</param>
public sealed record Concat(int Axis) : Op
{
    private static readonly KernelSet Set = new("concat", CpuKernel.VariantOfAnyType("cpu/copy", ConcatCpu.Bind), ConcatGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1, int.MaxValue);
        int rank = inputs[0].Rank, axis = Axis < 0 ? Axis + rank : Axis;
        Check(axis >= 0 && axis < rank, "axis", Axis, $"a dimension of {inputs[0]}");
        var sizes = inputs[0].Shape.ToBuilder();
        for (int i = 1; i < inputs.Length; i++)
        {
            var other = inputs[i].Shape;
            bool fits = inputs[i].DType == inputs[0].DType && other.Length == rank;
            for (int d = 0; fits && d < rank; d++)
            {
                if (d == axis) sizes[d] += other[d];
                // prefer a constant to a symbol
                else if (sizes[d].MayEqual(other[d])) sizes[d] = sizes[d].Constant is null ? other[d] : sizes[d];
                else fits = false;
            }

            Check(fits, $"argument {i}", inputs[i], $"like {inputs[0]} but for dimension {axis}");
        }

        return inputs[0] with { Shape = sizes.ToImmutable() };
    }
}
