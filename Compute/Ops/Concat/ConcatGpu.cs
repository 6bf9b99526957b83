using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One copy per argument that does not lie in its place.</summary>
internal static class ConcatGpu
{
    public static KernelVariant Variant { get; } = CopyGpu.Variant(ConcatCpu.Copies);
}
