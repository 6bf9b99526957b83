using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// y = a ∘ b for each element of a. b is broadcast to a as numpy does: sizes are compared from the innermost on, and each of b's is a's
/// or 1; missing outer sizes of b count as 1. a is never broadcast.
/// </summary>
/// <param name="Function">∘.</param>
public sealed record Binary(BinaryFunction Function) : Op
{
    private static readonly KernelSet Set = new("binary", SimdKernel.Variant<BinaryCpu>(), BinaryGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 2);
        CheckFloat(inputs[0], "a");
        CheckSameType(inputs[1], "b", inputs[0]);
        var (a, b) = (inputs[0].Shape, inputs[1].Shape);
        bool fits = b.Length <= a.Length;
        for (int i = 1; fits && i <= b.Length; i++) fits = b[^i].Constant == 1 || b[^i].MayEqual(a[^i]);
        Check(fits, "b", inputs[1], $"broadcastable to a, {inputs[0]}");
        return inputs[0];
    }
}
