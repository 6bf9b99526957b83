using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Reorders an image from [n, h, w, c] to [n, c, h, w], from the channels-last layout used internally to PyTorch's layout at the API.
/// </summary>
public sealed record NhwcToNchw : Op
{
    private static readonly KernelSet Set = new("nhwc_to_nchw", CpuKernel.Variant("cpu/copy", TransposeCpu.BindToNchw),
        TransposeGpu.ToNchw);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 4, "[n, h, w, c]");
        var x = inputs[0].Shape;
        return inputs[0].With(x[0], x[3], x[1], x[2]);
    }
}
