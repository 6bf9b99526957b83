using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Several elementwise functions in sequence, fused into one pass: x [...], then the operand of each <see cref="Binary"/> step in order,
/// each broadcast to x as that op does → y [...] of x's shape.
/// </summary>
/// <param name="Steps">The functions. Equal chains are equal ops and share kernels.</param>
/// <remarks>
/// The result has the same bits as running the steps one by one, which define it. The chain becomes a closed generic struct type,
/// <see cref="ChainFunctions.Of"/>, which compiles to one loop body. The type is independent of the register type: the CPU closes it over
/// vectors (<see cref="VectorMath"/>, <see cref="RowOperands{V}"/>); a GPU variant closes the same type over float, with an
/// <see cref="IElementMath{T}"/> that calls its intrinsics and an <see cref="IOperands{T}"/> over the kernel's views and constants, in a
/// kernel <c>y[i] = TFunction.Apply(x[i], operands, 0)</c> that is made for the type by <c>MakeGenericMethod</c>. Slots are constants
/// there, so that a switch over them is folded.
/// </remarks>
public sealed record Elementwise(ImmutableArray<ElementwiseStep> Steps) : Op
{
    /// <summary>Maximum number of steps and slots of a chain.</summary>
    public const int MostSteps = 8, MostSlots = 8;

    private static readonly KernelSet Set = new("elementwise", SimdKernel.Variant<ElementwiseCpu>(), ElementwiseGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override string Label => $"{Name}+{Description}";

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <summary>The functions' names, such as <c>add+silu</c>.</summary>
    public string Description => string.Join('+', Steps);

    /// <summary>Whether the steps are within the limits of one chain.</summary>
    public static bool Fits(IReadOnlyCollection<ElementwiseStep> steps) =>
        steps.Count <= MostSteps && steps.Sum(ChainFunctions.SlotsOf) <= MostSlots;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        Check(!Steps.IsDefaultOrEmpty && Fits(Steps) && Steps.All(s => ElementwiseStep.Supports(s.Op)), "steps",
            Steps.IsDefaultOrEmpty ? "none" : Description, $"1 to {MostSteps} elementwise ops with up to {MostSlots} operands and numbers");
        CheckCount(inputs, 1 + Steps.Count(s => s.HasOperand));
        var type = inputs[0];
        int operand = 1;
        foreach (var step in Steps)
        {
            if (!step.HasOperand)
            {
                type = step.Op.Infer([type]);
                continue;
            }

            var other = inputs[operand++];
            if (step.OperandFirst) Check(other.MayHaveShapeOf(type), "operand", other, $"of the shape of {type}");
            type = step.Op.Infer(step.OperandFirst ? [other, type] : [type, other]);
        }

        return type;
    }

    /// <inheritdoc/>
    public bool Equals(Elementwise? other) => other is not null && Steps.AsSpan().SequenceEqual(other.Steps.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var step in Steps) hash.Add(step);
        return hash.ToHashCode();
    }
}
