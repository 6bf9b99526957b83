using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One copy.</summary>
internal static class SliceGpu
{
    public static KernelVariant Variant { get; } = CopyGpu.Variant(call => [SliceCpu.Copy(call)]);
}
