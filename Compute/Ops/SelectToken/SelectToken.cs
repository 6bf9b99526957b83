using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One token of each sequence: y[n] = x[n, index[n]]. x [n, s, c], index Int32 [n] → [n, c].</summary>
/// <remarks>An index outside 0 … s − 1 throws <see cref="ArgumentOutOfRangeException"/> when the op runs on the CPU; the message names the
/// index and s.</remarks>
public sealed record SelectToken : Op
{
    private static readonly KernelSet Set = new("select_token", CpuKernel.Variant("cpu/copy", SelectTokenCpu.Bind), SelectTokenGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 2);
        CheckFloat(inputs[0], "x", 3, "[n, tokens, channels]");
        Check(inputs[1].DType == DType.Int32 && inputs[1].Rank == 1 && inputs[1].Last.MayEqual(inputs[0].Shape[0]), "index", inputs[1],
            $"Int32 [{inputs[0].Shape[0]}]");
        return inputs[0].With(inputs[0].Shape[0], inputs[0].Last);
    }
}
