using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cases;

/// <summary>The ops that have no GPU kernel yet. The list only shrinks: an op that has one must leave it, and a test says so.</summary>
public static class NotYetOnGpus
{
    /// <summary>The ops' record types.</summary>
    public static IReadOnlyList<Type> Ops { get; } =
    [
        typeof(Affine),
        typeof(Attention),
        typeof(Binary),
        typeof(Cast),
        typeof(Chunk),
        typeof(Clamp),
        typeof(Concat),
        typeof(Conv2D),
        typeof(DynamicThreshold),
        typeof(Embedding),
        typeof(FourierFilter),
        typeof(GatedMatMul),
        typeof(GeGlu),
        typeof(GroupNorm),
        typeof(GroupedMatMul),
        typeof(LayerNorm),
        typeof(LinearCombination),
        typeof(MatMul),
        typeof(NchwToNhwc),
        typeof(NhwcToNchw),
        typeof(Quantize),
        typeof(QuantizeScale),
        typeof(QuantizedMatMul),
        typeof(RescaleGuidance),
        typeof(RmsNorm),
        typeof(RotaryEmbedding),
        typeof(SelectToken),
        typeof(Slice),
        typeof(Softmax),
        typeof(TimestepEmbedding),
        typeof(Unary),
        typeof(Upsample),
    ];
}
