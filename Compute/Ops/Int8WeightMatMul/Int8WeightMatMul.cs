using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Linear layer with int8 weights and activations as they are: y = x·(w·scale)ᵀ + bias for x [..., K], w [N, K] Int8, scale [N] Float32,
/// bias [N] Float32 or none; y [..., N]. torchao's <c>int8_weight_only</c>.
/// </summary>
/// <param name="Epilogue">Applied to the result before it is written; its arguments come after the bias.</param>
/// <remarks>
/// Accumulates in float32. Whether w or the sum is multiplied by the scale is up to the kernel; GPUs round w·scale to the type of x. The
/// error is that of a <see cref="MatMul"/>, with weights in the type of x on GPUs.
/// </remarks>
public sealed record Int8WeightMatMul(Epilogue Epilogue = default) : Op, IHasEpilogue
{
    private static readonly KernelSet Set = new("int8_weight_matmul",
        [CpuKernel.Variant("cpu/packed", SimdKernel.Bind<Int8WeightMatMulCpu>) with { Tuning = GemmTuning.Space },
            .. Int8WeightMatMulGpu.Variants]);

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
