using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Space to depth: x [n, h, w, c] → [n, h / r, w / r, c · r²]. The pixels of each r × r block become channels, ordered as in
/// torch.nn.PixelUnshuffle: y[n, i, j, (c · r + a) · r + b] = x[n, i · r + a, j · r + b, c].
/// The values are copied. Inverse of <see cref="PixelShuffle"/>.
/// </summary>
/// <param name="Factor">r, at least 1; must divide height and width. Latents packed into tokens, as Flux does, take 2.</param>
public sealed record PixelUnshuffle(int Factor) : Op
{
    private static readonly KernelSet Set = new(
        "pixel_unshuffle", CpuKernel.Variant("cpu/copy", PixelShuffleCpu.BindUnshuffle), PixelShuffleGpu.Unshuffle);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        Check(Factor is >= 1 and <= PixelShuffle.MaxFactor, "factor", Factor, $"1 to {PixelShuffle.MaxFactor}");
        CheckFloat(inputs[0], "x", 4, "[n, h, w, c]");
        var x = inputs[0].Shape;
        Check(IsMultiple(x[1]) && IsMultiple(x[2]), "x", inputs[0], $"a tensor with height and width divisible by {Factor}");
        return inputs[0].With(x[0], x[1] / Factor, x[2] / Factor, x[3] * (Factor * Factor));
    }

    private bool IsMultiple(Dim size) => size.Constant is not { } number || number % Factor == 0;
}
