using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One copy per argument that is not already in place.</summary>
internal static class ConcatGpu
{
    public static KernelVariant Variant { get; } = CopyGpu.Variant(ConcatCpu.Copies);
}
