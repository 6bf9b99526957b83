namespace ILGpuDiffusion.Compute;

/// <summary>
/// y = x·Wᵀ + b: x [..., K] float32, W [N, K] float32, float16 or bfloat16, b [N] of the same types, optional → [..., N].
/// </summary>
/// <remarks>
/// Accumulates in float32 whatever the weights' storage, which is widened exactly. Rounding adds up like a random walk: for independent values the
/// error is about 2⁻²⁵·√K of the result's rms, some four times that for the worst of many elements.
/// </remarks>
public sealed record MatMul : Op
{
    private static readonly KernelSet Set = new("matmul", CpuKernel.Variant("cpu/packed", Simd.Bind<MatMulCpu>));

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 2, 3);
        TensorType x = inputs[0], weight = inputs[1];
        Check(x.DType == DType.Float32 && x.Rank > 0, "x", x, "Float32 of at least one dimension");
        Check(weight.DType.IsFloat() && weight.Rank == 2, "weight", weight, "a floating-point matrix [N, K]");
        Check(weight.Last.MayEqual(x.Last), "weight", weight, $"[N, {x.Last}], to fit x of {x}");
        if (inputs.Length == 3)
            Check(inputs[2].DType.IsFloat() && inputs[2].Rank == 1 && inputs[2].Last.MayEqual(weight.Shape[0]), "bias", inputs[2], $"[{weight.Shape[0]}]");
        return x.WithLast(weight.Shape[0]);
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 2.0 * signature.Output.Concrete().Count * signature.Inputs[1].Concrete().Last;
}
