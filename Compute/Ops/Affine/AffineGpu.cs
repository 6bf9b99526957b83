using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One multiply-add per element.</summary>
internal static class AffineGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature =>
        MapGpu.Of(signature, typeof(Line), ((Affine)signature.Op).Scale, ((Affine)signature.Op).Offset));

    private readonly struct Line : IElementFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Apply(float x, float a, float b) => DeviceMath.Fma(x, a, b);
    }
}
