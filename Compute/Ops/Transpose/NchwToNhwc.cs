using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Reorders an image from [n, c, h, w] to [n, h, w, c], from PyTorch's layout at the API to the channels-last layout used internally.
/// </summary>
public sealed record NchwToNhwc : Op
{
    private static readonly KernelSet Set = new("nchw_to_nhwc", CpuKernel.Variant("cpu/copy", TransposeCpu.BindToNhwc),
        TransposeGpu.ToNhwc);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1);
        CheckFloat(inputs[0], "x", 4, "[n, c, h, w]");
        var x = inputs[0].Shape;
        return inputs[0].With(x[0], x[2], x[3], x[1]);
    }
}
