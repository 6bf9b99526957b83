using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// Scaled dot-product attention: softmax(Q·Kᵀ/√d + mask)·V, then a linear layer. Heads are contiguous ranges of the channels. Diffusers'
/// Attention.
/// The pixels of images [n, h, w, c] are tokens.
/// </summary>
/// <remarks>Vaswani et al., 2017 (arXiv:1706.03762).</remarks>
public sealed class Attention : Layer
{
    private readonly Linear toQ, toK, toV, toOut;
    private readonly int heads;

    /// <summary>Declares <c>to_q</c>, <c>to_k</c>, <c>to_v</c> and <c>to_out.0</c>; the last one always has a bias.</summary>
    /// <param name="queryDim">Width of the queries' tokens, and of the result.</param>
    /// <param name="crossAttentionDim">Width of the keys' and values' tokens; null for self-attention.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="headDim">Width of one head.</param>
    /// <param name="bias">Whether <c>to_q</c>, <c>to_k</c> and <c>to_v</c> have a bias.</param>
    public Attention(int queryDim, int? crossAttentionDim, int heads, int headDim, bool bias = false)
    {
        this.heads = heads;
        int inner = checked(heads * headDim), contextDim = crossAttentionDim ?? queryDim;
        toQ = Child("to_q", new Linear(queryDim, inner, bias));
        toK = Child("to_k", new Linear(contextDim, inner, bias));
        toV = Child("to_v", new Linear(contextDim, inner, bias));
        toOut = Child("to_out.0", new Linear(inner, queryDim));
    }

    /// <summary>
    /// Chooses the implementation of all attention for a scope, whatever layers and pipelines choose; PyTorch's <c>sdpa_kernel</c>.
    /// Inner scopes take precedence.
    /// </summary>
    /// <param name="options">The implementation, such as <see cref="AttentionBackend.MemoryEfficient"/>.</param>
    /// <returns>Ends the scope when disposed.</returns>
    /// <remarks>
    /// <para>It holds for what begins in it, asynchronous calls included: <c>using (Attention.Use(AttentionBackend.MemoryEfficient)) result
    /// = await pipeline.GenerateAsync(request);</c></para>
    /// <para>A compiled graph stays compiled: the scope selects another of its plans. A choice that the device does not support is a
    /// <see cref="DeviceException"/> that names those it does.</para>
    /// </remarks>
    public static IDisposable Use(AttentionOptions options) => AttentionScope.Enter(options);

    /// <inheritdoc/>
    public override bool CanFuseQkvProjections => true;

    /// <summary>Records the attention.</summary>
    /// <param name="x">The queries' tokens, [n, ..., queryDim].</param>
    /// <param name="context">The keys' and values' tokens, [n, ..., crossAttentionDim]; null means <paramref name="x"/> itself.</param>
    /// <param name="mask">Added to the scores before the softmax, [n, 1, tokens of the context].</param>
    /// <returns>[n, ..., queryDim].</returns>
    public Value Forward(Value x, Value? context = null, Value? mask = null) => Record(x, () =>
    {
        var source = context ?? x;
        return toOut.Forward(Functional.Attention(toQ.Forward(x), toK.Forward(source), toV.Forward(source), heads, mask));
    });
}
