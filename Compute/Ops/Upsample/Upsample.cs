using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Resizes an image. x [n, h, w, c] → [n, 2h, 2w, c]; with a second argument [n', h', w', c'], of which only the sizes matter, →
/// [n, h', w', c].
/// </summary>
/// <param name="Interpolation">Interpolation between pixels.</param>
/// <remarks>
/// As PyTorch's <c>interpolate</c> without <c>align_corners</c>, with the same float32 arithmetic for positions: the nearest pixel of row i
/// is ⌊i · (h / h')⌋; bilinear rows are at max((i + ½) · (h / h') − ½, 0). Nearest is exact; bilinear weights are as precise as a position
/// in float32, to a relative 1.2e-7.
/// </remarks>
public sealed record Upsample(Interpolation Interpolation = Interpolation.Nearest) : Op
{
    private static readonly KernelSet Set = new("upsample",
        CpuKernel.Variant("cpu/copy", UpsampleCpu.Bind)
            with
        { SupportsShape = static s => s.Op is Upsample { Interpolation: Interpolation.Nearest } },
        SimdKernel.Variant<UpsampleBilinearCpu>(), UpsampleGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 1, 2);
        CheckFloat(inputs[0], "x", 4, "[n, height, width, channels]");
        var x = inputs[0].Shape;
        if (inputs.Length == 1) return inputs[0].With(x[0], x[1] * 2, x[2] * 2, x[3]);
        Check(inputs[1].Rank == 4, "like", inputs[1], "[n, height, width, channels]");
        return inputs[0].With(x[0], inputs[1].Shape[1], inputs[1].Shape[2], x[3]);
    }
}
