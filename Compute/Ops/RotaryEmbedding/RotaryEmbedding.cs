using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Rotates adjacent pairs of each head's channels by the token's angles: y[2i] = x[2i] · cos[2i] − x[2i+1] · sin[2i],
/// y[2i+1] = x[2i+1] · cos[2i+1] + x[2i] · sin[2i+1]. x [n, s, heads · d], cos [s, d] and sin [s, d] in Float32 → [n, s, heads · d].
/// </summary>
/// <param name="Heads">Number of heads.</param>
/// <remarks>Su et al., 2021 (arXiv:2104.09864), in the interleaved form of Flux. <see cref="RotaryTable"/> computes the tables.</remarks>
public sealed record RotaryEmbedding(int Heads) : Op
{
    private static readonly KernelSet Set = new("rotary_embedding", SimdKernel.Variant<RotaryEmbeddingCpu>(), RotaryEmbeddingGpu.Variant);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override bool MayRunInPlace => true;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {

        CheckCount(inputs, 3);
        CheckFloat(inputs[0], "x", 3, "[n, tokens, heads · channels]");
        Check(Heads > 0 && (inputs[0].Last.Constant is not { } width || width % (2 * Heads) == 0), "x", inputs[0],
            $"a tensor with an even number of channels for each of {Heads} heads");
        for (int i = 1; i <= 2; i++)
        {
            Check(inputs[i].DType == DType.Float32 && inputs[i].Rank == 2 && inputs[i].Shape[0].MayEqual(inputs[0].Shape[1])
                && inputs[i].Last.MayEqual(inputs[0].Last / Heads),
                i == 1 ? "cos" : "sin", inputs[i], $"Float32 [{inputs[0].Shape[1]}, {inputs[0].Last / Heads}]");
        }

        return inputs[0];
    }
}
