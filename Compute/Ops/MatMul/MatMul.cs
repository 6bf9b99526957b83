using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// y = x·Wᵀ + b: x [..., K], W [N, K] or [N, K, 1, 1] in float32, float16 or bfloat16, b [N] of the same types, optional → [..., N].
/// </summary>
/// <param name="Epilogue">Applied to the result before it is written; its arguments come after b.</param>
/// <remarks>
/// Accumulates in float32 for all storage types of the weights, which are widened exactly. Rounding errors add up like a random walk: for
/// independent values the error is about 2⁻²⁵·√K of the result's rms, some four times that for the worst of many elements.
/// </remarks>
public sealed record MatMul(Epilogue Epilogue = default) : Op, IHasEpilogue
{
    private static readonly KernelSet Set = new("matmul",
        [CpuKernel.Variant("cpu/packed", SimdKernel.Bind<MatMulCpu>) with { Tuning = GemmTuning.Space }, .. MatMulMatrices.Variants,
            .. MatMulGpu.Variants]);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override string Label => Name + Epilogue.Label;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public Op With(Epilogue epilogue) => this with { Epilogue = epilogue };

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 2 + Epilogue.Arguments, 3 + Epilogue.Arguments);
        TensorType x = inputs[0], weight = inputs[1];
        CheckFloat(x, "x", 1);
        Check(weight.DType.IsFloat()
            && (weight.Rank == 2 || (weight.Rank == 4 && weight.Shape[2].Constant == 1 && weight.Shape[3].Constant == 1)), "weight", weight,
                "a floating-point matrix [N, K]");
        Check(weight.Shape[1].MayEqual(x.Last), "weight", weight, $"[N, {x.Last}] for x of {x}");
        if (inputs.Length - Epilogue.Arguments == 3)
            Check(inputs[2].DType.IsFloat() && inputs[2].Rank == 1 && inputs[2].Last.MayEqual(weight.Shape[0]), "bias", inputs[2],
                $"[{weight.Shape[0]}]");
        var y = x.WithLast(weight.Shape[0]);
        Epilogue.Check(Name, inputs[^Epilogue.Arguments..], y);
        return y;
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete(), weight = signature.Inputs[1].Concrete();
        return ShapeBucket.Of(x.Rows, new GemmShape(x.Last, weight[0]));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 2.0 * signature.Output.Concrete().Count * signature.Inputs[1].Concrete()[1];
}
