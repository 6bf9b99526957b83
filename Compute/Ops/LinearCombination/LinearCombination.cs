using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// y = Σ cᵢ · xᵢ over n arguments of one shape; the last argument is the coefficients c, Float32 [n]. Summed from the first argument on, in
/// float32.
/// </summary>
/// <remarks>Used for sampler steps: the coefficients are computed on the host in double precision and change from step to step, while the
/// graph stays the same.</remarks>
public sealed record LinearCombination : Op
{
    private static readonly KernelSet Set = new("linear_combination", SimdKernel.Variant<LinearCombinationCpu>(),
        LinearCombinationGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        Check(inputs.Length >= 2, "arguments", inputs.Length, "at least 2: tensors and their coefficients");
        int count = inputs.Length - 1;
        for (int i = 0; i < count; i++)
        {
            CheckFloat32(inputs[i], $"x{i + 1}");
            Check(inputs[i].MayHaveShapeOf(inputs[0]), $"x{i + 1}", inputs[i], $"of the shape of x1, {inputs[0]}");
        }

        var coefficients = inputs[count];
        Check(coefficients.DType == DType.Float32 && coefficients.Rank == 1 && coefficients.Last.MayEqual(count), "coefficients",
            coefficients, $"Float32 [{count}]");
        return inputs[0];
    }
}
