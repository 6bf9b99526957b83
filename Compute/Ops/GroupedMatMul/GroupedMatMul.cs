using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Several GEMMs of one x, concatenated in one result: [x·W₁ᵀ + b₁, x·W₂ᵀ + b₂, …]. x [..., K]; then the weights Wᵢ [Nᵢ, K] (or
/// [Nᵢ, K, 1, 1]); then, if any, all biases bᵢ [Nᵢ] → [..., N₁ + N₂ + …]. Used for query, key and value of self-attention.
/// </summary>
/// <param name="Count">Number of GEMMs.</param>
/// <remarks>The weights are used in place: they are neither stacked nor copied.</remarks>
public sealed record GroupedMatMul(int Count) : Op
{
    private static readonly KernelSet Set = new("grouped_matmul",
        [CpuKernel.Variant("cpu/parts", GroupedMatMulCpu.Bind) with { Tuning = GemmTuning.Space }, .. GroupedMatMulMatrices.Variants,
            .. GroupedMatMulGpu.Variants]);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        Check(Count > 0, "count", Count, "at least 1");
        bool biased = inputs.Length > 1 + Count;
        CheckCount(inputs, 1 + (biased ? 2 : 1) * Count);
        var parts = new TensorType[Count];
        for (int i = 0; i < Count; i++)
            parts[i] = new MatMul().Infer(biased ? [inputs[0], inputs[1 + i], inputs[1 + Count + i]] : [inputs[0], inputs[1 + i]]);
        return new Concat(-1).Infer(parts);
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        ValueArray<int> columns = new([.. signature.Inputs[1..(1 + Count)].Select(w => w.Concrete()[0])]);
        return ShapeBucket.Of(x.Rows, new GemmShape(x.Last, columns));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 2.0 * signature.Output.Concrete().Count * signature.Inputs[0].Concrete().Last;
}
