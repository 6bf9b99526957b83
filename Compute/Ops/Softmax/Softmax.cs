namespace ILGpuDiffusion.Compute;

/// <summary>Softmax of each row: y = exp(x − max x) / Σ exp(x − max x), over the innermost dimension of x [..., width].</summary>
/// <remarks>Rows of −∞ only give NaN, as in PyTorch. Relative error ≤ 2e-6 in float32.</remarks>
public sealed record Softmax : Op
{
    private static readonly KernelSet Set = new("softmax", CpuKernel.Variant("cpu/simd", SoftmaxCpu.Bind));

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        Check(inputs[0].DType == DType.Float32 && inputs[0].Rank > 0, "x", inputs[0], "Float32 of at least one dimension");
        return inputs[0];
    }
}
