using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// softmax(q·kᵀ·scale + mask)·v for each head: q [n, …, heads·d], k [n, …, heads·d], v [n, …, heads·dv] → [n, …, heads·dv]. Dimensions
/// between the first and the last are tokens, so images [n, h, w, c] can be passed without a reshape. Heads are contiguous ranges of the
/// innermost dimension.
/// </summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="Causal">Whether a query attends only to keys up to its own position.</param>
/// <param name="Scale">Factor of the logits; null is 1 / √d.</param>
/// <remarks>
/// The optional mask is added to the logits: float32 [n or 1, (heads or 1,) queries or 1, keys]. A query whose logits are all −∞ gives 0,
/// as PyTorch has it since 2.5. Weights are exact to a relative 5e-7 + 1e-7·√d for logits of order 1, and to 2⁻²⁴ · |logit| beyond; on
/// matrix instructions they are then rounded to the arguments' 16-bit type unless <see cref="AttentionOptions.Precise"/> is set, which adds
/// at most u · Σ weight · |v| to a result's error, u = 2⁻¹¹ for float16 and 2⁻⁸ for bfloat16.
/// </remarks>
public sealed record ScaledDotProductAttention(int Heads, bool Causal = false, double? Scale = null) : Op
{
    private static readonly KernelSet Set = new("attention", AttentionVariants.All);

    /// <summary>How it is computed; a scope set by the caller overrides it when a plan is made.</summary>
    public AttentionOptions Options { get; init; }

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.Attention;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 3, 4);
        TensorType q = inputs[0], k = inputs[1], v = inputs[2];
        Check(Heads > 0, "heads", Heads, "at least 1");
        foreach (var (name, type) in new[] { ("query", q), ("key", k), ("value", v) })
        {
            Check(type.DType.IsFloat() && type.Rank >= 3, name, type, $"[n, …, heads · d] in {AnyFloat}");
            CheckSameType(type, name, q);
            Check(type.Last.Constant is { } width && width % Heads == 0, name, type,
                $"a tensor whose width is divisible by {Heads} (heads)");
            Check(type.Shape[0].MayEqual(q.Shape[0]), name, type, $"of batch {q.Shape[0]}, like the query");
        }

        Check(k.Last.MayEqual(q.Last), "key", k, $"as wide as the query, {q.Last}");
        Check(k.With(k.Shape.AsSpan()[..^1]).MayHaveShapeOf(v.With(v.Shape.AsSpan()[..^1])), "value", v,
            $"a tensor with as many tokens as the key {k}");
        if (inputs.Length == 4)
            Check(inputs[3].DType == DType.Float32 && inputs[3].Rank is 3 or 4, "mask", inputs[3],
                "Float32 [n or 1, (heads or 1,) queries or 1, keys]");
        return q.WithLast(v.Last);
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        if (Options.Backend != AttentionBackend.Auto) return null; // results of tuning are for calls that may take any backend
        Shape q = signature.Inputs[0].Concrete(), k = signature.Inputs[1].Concrete();
        int queries = q.Rows / q[0], keys = k.Rows / k[0];
        return ShapeBucket.Of(q.Rows, new AttentionShape(Heads, q.Last / Heads, queries == keys ? null : ShapeBucket.Round(keys), Causal));
    }

    /// <inheritdoc/>
    internal override string? WhyMissing(Device device, OpSignature signature) => AttentionChoice.WhyMissing(device, signature);

    /// <inheritdoc/>
    public override double Flops(OpSignature signature)
    {
        Shape q = signature.Inputs[0].Concrete(), k = signature.Inputs[1].Concrete();
        return 2.0 * q.Count * (k.Rows / k[0]) * (1 + (double)signature.Output.Concrete().Last / q.Last);
    }
}
