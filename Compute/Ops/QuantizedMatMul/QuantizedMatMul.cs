using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Linear layer with int8 weights and dynamically quantised activations: y = (xq·wᵀ)·sx·scale + bias for x [..., K], w [N, K] Int8, scale
/// [N] Float32, bias [N] Float32 or none; y [..., N]. sx and xq are the results of <see cref="QuantizeScale"/> and <see cref="Quantize"/>.
/// </summary>
/// <param name="Epilogue">Applied to the result before it is written; its arguments come after the bias.</param>
/// <remarks>
/// Sums are int32 and exact, and are scaled in float32 in the order written. Weights must lie within ±127, and K may be at most 131072, so
/// that no sum overflows.
/// </remarks>
public sealed record QuantizedMatMul(Epilogue Epilogue = default) : Op, IHasEpilogue
{
    private const int LargestDepth = 131072; // 127 · 127 · 131072 < 2³¹
    private static readonly KernelSet Set = new("quantized_matmul",
        [CpuKernel.Variant("cpu/packed", SimdKernel.Bind<QuantizedMatMulCpu>, QuantizedMatMulCpu.ScratchBytes)
            with { Tuning = QuantizedMatMulCpu.Tuning }, .. QuantizedMatMulGpu.VariantsOf(call => [call], signature => [signature])]);

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
        CheckCount(inputs, 3 + Epilogue.Arguments, 4 + Epilogue.Arguments);
        TensorType x = inputs[0], weight = inputs[1];
        CheckFloat(x, "x", 1);
        Check(weight.DType == DType.Int8 && weight.Rank == 2, "weight", weight, "an Int8 matrix [N, K]");
        Check(weight.Last.MayEqual(x.Last), "weight", weight, $"[N, {x.Last}] for x of {x}");
        Check(weight.Last.Constant is not > LargestDepth, "weight", weight,
            $"a matrix of at most {LargestDepth} columns, so that int32 sums stay exact");
        foreach (var vector in inputs[2..^Epilogue.Arguments])
            Check(vector.DType == DType.Float32 && vector.Rank == 1 && vector.Last.MayEqual(weight.Shape[0]), "scale or bias", vector,
                $"Float32 [{weight.Shape[0]}]");
        var y = x.WithLast(weight.Shape[0]);
        Epilogue.Check(Name, inputs[^Epilogue.Arguments..], y);
        return y;
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        return ShapeBucket.Of(x.Rows, new GemmShape(x.Last, signature.Output.Concrete().Last));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 2.0 * signature.Output.Concrete().Count * signature.Inputs[1].Concrete().Last;
}
