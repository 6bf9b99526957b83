using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// A gated linear unit with its projection: y = h · gelu(g), where h is the first and g the second half of x·Wᵀ + b. x [..., K],
/// W [2N, K] in any floating-point type, b [2N] optional → [..., N]. The same as <see cref="MatMul"/> followed by <see cref="GeGlu"/>,
/// without storing the [..., 2N] value.
/// </summary>
/// <remarks>Shazeer, 2020 (arXiv:2002.05202).</remarks>
public sealed record GatedMatMul : Op
{
    private static readonly KernelSet Set = new("gated_matmul",
        [CpuKernel.Variant("cpu/packed", SimdKernel.Bind<GatedMatMulCpu>, GatedMatMulCpu.ScratchBytes) with { Tuning = GemmTuning.Space },
            .. GatedMatMulMatrices.Variants, .. GatedMatMulGpu.Variants]);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs) => new GeGlu().Infer([new MatMul().Infer(inputs)]);

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        return ShapeBucket.Of(x.Rows, new GemmShape(x.Last, signature.Output.Concrete().Last, gated: true));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 4.0 * signature.Output.Concrete().Count * signature.Inputs[1].Concrete()[1];
}
