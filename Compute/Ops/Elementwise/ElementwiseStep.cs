using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One op of a chain: <see cref="Unary"/>, <see cref="Affine"/>, <see cref="Clamp"/>, or <see cref="Binary"/> with the chain's next operand.</summary>
/// <param name="Op">What is done to the value that the chain has so far.</param>
/// <param name="OperandFirst">Of a <see cref="Binary"/>: whether the operand stands on the left, a, and the chain's value on the right. Both then have one shape.</param>
public sealed record ElementwiseStep(Op Op, bool OperandFirst = false)
{
    /// <summary>Whether the op can be a step.</summary>
    public static bool Supports(Op op) => op is Unary or Affine or Clamp or Binary;

    /// <summary>Whether it takes one of the chain's operands.</summary>
    public bool HasOperand => Op is Binary;

    /// <summary>The function's name, in lower case.</summary>
    public override string ToString() => Op switch
    {
        Unary unary => $"{unary.Function}".ToLowerInvariant(),
        Binary binary => $"{(OperandFirst ? "reversed " : "")}{binary.Function}".ToLowerInvariant(),
        _ => Op.Name,
    };
}
