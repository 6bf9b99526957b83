using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>What attention kernels of GPUs have in common.</summary>
internal static class AttentionMath
{
    /// <summary>eˣ = 2^(x · log₂e).</summary>
    public const float Log2E = 1.44269504f;

    /// <summary>The larger one; <paramref name="b"/> where either is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Larger(float a, float b) => a > b ? a : b;
}
