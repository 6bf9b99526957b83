using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The same numbers in another float type, rounded to nearest, ties to even. x of any shape in Float32, Float16 or BFloat16.
/// </summary>
/// <param name="To">The result's element type, a float type.</param>
public sealed record Cast(DType To) : Op
{
    private static readonly KernelSet Set = new("cast", CpuKernel.VariantOfAnyType("cpu/simd", CastCpu.Bind), CastGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        Check(inputs[0].DType.IsFloat(), "x", inputs[0], "Float32, Float16 or BFloat16");
        Check(To.IsFloat(), "to", To, "Float32, Float16 or BFloat16");
        return inputs[0] with { DType = To };
    }
}
