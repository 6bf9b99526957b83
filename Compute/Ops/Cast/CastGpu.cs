using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The identity from one element type to another.</summary>
internal static class CastGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature => MapGpu.Of(signature, typeof(SameElement)));
}
