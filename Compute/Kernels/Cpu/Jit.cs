using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How the runtime is to compile kernels' loops.</summary>
internal static class Jit
{
    /// <summary>
    /// Fully optimised from the first call, and never inlined: the runtime's second, profile-guided compilation of a caller would otherwise take the loop
    /// into it and keep its sums in memory, which made products with 16 vector registers run at a third of their speed after the first few calls.
    /// </summary>
    public const MethodImplOptions Kernel = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;
}
