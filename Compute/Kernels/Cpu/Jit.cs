using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>JIT options of kernel loops.</summary>
internal static class Jit
{
    /// <summary>
    /// Fully optimised from the first call and never inlined. Otherwise the tier-1 recompilation of a caller inlines the loop and keeps its
    /// accumulators in memory, which made GEMMs with 16 vector registers run at a third of their speed after the first few calls.
    /// </summary>
    public const MethodImplOptions Kernel = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;
}
