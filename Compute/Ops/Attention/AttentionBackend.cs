namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// An implementation of attention, as PyTorch's <c>SDPBackend</c>. All compute the same function; they differ in time and memory.
/// </summary>
public enum AttentionBackend
{
    /// <summary>The first of <see cref="Flash"/>, <see cref="MemoryEfficient"/> and <see cref="Math"/> that the device supports.</summary>
    Auto,

    /// <summary>
    /// Tiles of queries and keys with an online softmax, in local memory or caches (Dao et al., arXiv:2205.14135). No matrix of
    /// queries × keys exists. The one that uses matrix instructions.
    /// </summary>
    Flash,

    /// <summary>
    /// Keys in chunks, with running maxima and sums (Rabe and Staats, arXiv:2112.05682). Needs no local memory on GPUs, and no copies of
    /// keys and values on CPUs; scratch memory grows with the number of queries, not with that of keys.
    /// </summary>
    MemoryEfficient,

    /// <summary>
    /// The definition: a GEMM for the scores of one head, in full, a softmax, a GEMM with the values; in float32 whatever the type of the
    /// arguments. Takes 4 · queries · keys bytes of scratch memory. For comparison.
    /// </summary>
    Math,
}
