using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Two comparisons per element; both are false for NaN, which is kept.</summary>
internal static class ClampGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature =>
        MapGpu.Of(signature, typeof(Bounds), ((Clamp)signature.Op).Low, ((Clamp)signature.Op).High));

    internal readonly struct Bounds : IElementFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Apply(float x, float a, float b) => x < a ? a : x > b ? b : x;
    }
}
