using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Functions shared by the GPU attention kernels.</summary>
internal static class AttentionMath
{
    /// <summary>eˣ = 2^(x · log₂e).</summary>
    public const float Log2E = 1.44269504f;

    /// <summary>The maximum; <paramref name="b"/> if either is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Larger(float a, float b) => a > b ? a : b;
}
