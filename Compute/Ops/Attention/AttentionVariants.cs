using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The kernels of attention by backend, best first.</summary>
internal static class AttentionVariants
{
    private static readonly KernelVariant[] Flash =
        [SimdKernel.Variant<AttentionCpu>() with { Tuning = AttentionGrid.Tuning }, .. AttentionGpu.Variants];

    private static readonly KernelVariant[] MemoryEfficient =
        [CpuKernel.Variant("cpu/chunks", SimdKernel.Bind<ChunkedAttentionCpu>), ChunkedAttentionGpu.Variant];

    private static readonly KernelVariant[] Math = [MathAttention.Cpu, MathAttention.Gpu];

    /// <summary>
    /// All of them. A call with a chosen backend accepts that backend's variants alone, so a tuner compares backends only for calls
    /// without a choice.
    /// </summary>
    public static KernelVariant[] All { get; } =
    [
        .. Of(AttentionBackend.Flash, Flash), .. Of(AttentionBackend.MemoryEfficient, MemoryEfficient), .. Of(AttentionBackend.Math, Math),
    ];

    /// <summary>The backend that a variant belongs to.</summary>
    public static AttentionBackend BackendOf(string variant) =>
        Math.Any(v => v.Name == variant) ? AttentionBackend.Math
        : MemoryEfficient.Any(v => v.Name == variant) ? AttentionBackend.MemoryEfficient
        : AttentionBackend.Flash;

    private static IEnumerable<KernelVariant> Of(AttentionBackend backend, KernelVariant[] variants) =>
        variants.Select(variant => variant with
        {
            SupportsShape = signature =>
                ((ScaledDotProductAttention)signature.Op).Options.Backend is var chosen
                && (chosen == AttentionBackend.Auto || chosen == backend) && variant.SupportsShape(signature),
        });
}
