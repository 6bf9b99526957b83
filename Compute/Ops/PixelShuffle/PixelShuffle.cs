using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Depth to space: x [n, h, w, c · r²] → [n, h · r, w · r, c]. Groups of r² channels become r × r blocks of pixels, ordered as in
/// torch.nn.PixelShuffle: y[n, i · r + a, j · r + b, c] = x[n, i, j, (c · r + a) · r + b].
/// The values are copied. Inverse of <see cref="PixelUnshuffle"/>.
/// </summary>
/// <param name="Factor">r, at least 1; its square must divide the number of channels.</param>
public sealed record PixelShuffle(int Factor) : Op
{
    internal const int MaxFactor = 46340; // its square is the largest that 32 bits hold

    private static readonly KernelSet Set = new(
        "pixel_shuffle", CpuKernel.Variant("cpu/copy", PixelShuffleCpu.BindShuffle), PixelShuffleGpu.Shuffle);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.DataMovement;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 1);
        Check(Factor is >= 1 and <= MaxFactor, "factor", Factor, $"1 to {MaxFactor}");
        CheckFloat(inputs[0], "x", 4, "[n, h, w, c]");
        var x = inputs[0].Shape;
        int block = Factor * Factor;
        Check(x[3].Constant is not { } channels || channels % block == 0, "x", inputs[0],
            $"a tensor whose number of channels is divisible by {block}");
        return inputs[0].With(x[0], x[1] * Factor, x[2] * Factor, x[3] / block);
    }
}
