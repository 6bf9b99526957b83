namespace ILGpuDiffusion.Compute.Ops;

/// <summary>How attention is computed. An <see cref="AttentionBackend"/> converts to it.</summary>
/// <param name="Backend">The implementation.</param>
/// <param name="Precise">
/// Whether <see cref="AttentionBackend.Flash"/> multiplies the softmax weights exactly on matrix instructions: in two float16 parts, or
/// three bfloat16 parts, instead of rounding them to one, as FlashAttention and cuDNN do. Takes half as many matrix instructions
/// again in float16, and twice as many in bfloat16. Other implementations are always exact.
/// </param>
public readonly record struct AttentionOptions(AttentionBackend Backend = AttentionBackend.Auto, bool Precise = false)
{
    /// <summary>Options with this backend.</summary>
    public static implicit operator AttentionOptions(AttentionBackend backend) => new(backend);
}
