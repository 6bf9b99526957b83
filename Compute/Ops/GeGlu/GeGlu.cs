using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Gated linear unit with GELU: y = h · gelu(g), where h is the first and g the second half of a row. x [..., 2c] → [..., c].
/// </summary>
/// <remarks>Shazeer, 2020 (arXiv:2002.05202); gelu is the exact form with erf. Error ≤ 1e-6 · |h| · max(1, |g|).</remarks>
public sealed record GeGlu : Op
{
    private static readonly KernelSet Set = new("geglu", SimdKernel.Variant<GeGluCpu>(), GeGluGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 1);
        Check(inputs[0].Last.Constant is not { } width || width % 2 == 0, "x", inputs[0], "a tensor with an even innermost size");
        return inputs[0].WithLast(inputs[0].Last / 2);
    }
}
