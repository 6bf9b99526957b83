using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The same kernel as <see cref="Slice"/>.</summary>
internal static class ChunkGpu
{
    public static KernelVariant Variant { get; } = CopyGpu.Variant(call => [ChunkCpu.Copy(call)]);
}
