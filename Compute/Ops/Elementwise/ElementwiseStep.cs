using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One op of a chain: <see cref="Unary"/>, <see cref="Affine"/>, <see cref="Clamp"/>, or <see cref="Binary"/> with the chain's next
/// operand.
/// </summary>
/// <param name="Op">The function applied to the chain's value.</param>
/// <param name="OperandFirst">For a <see cref="Binary"/>: whether the operand is the left argument, a, and the chain's value the right one.
/// Both must have the same shape.</param>
public sealed record ElementwiseStep(Op Op, bool OperandFirst = false)
{
    /// <summary>Whether an op can be a step.</summary>
    public static bool Supports(Op op) => op is Unary or Affine or Clamp or Binary;

    /// <summary>Whether the step takes one of the chain's operands.</summary>
    public bool HasOperand => Op is Binary;

    /// <summary>The function's name, in lower case.</summary>
    public override string ToString() => Op switch
    {
        Unary unary => $"{unary.Function}".ToLowerInvariant(),
        Binary binary => $"{(OperandFirst ? "reversed " : "")}{binary.Function}".ToLowerInvariant(),
        _ => Op.Name,
    };
}
