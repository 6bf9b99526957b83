using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What the work items of one group do together.</summary>
internal static class Block
{
    /// <summary>
    /// Waits until all work items of the group are here; memory written before is seen by all after. The only barrier that kernels may use:
    /// behind a bare one that ends a loop's body, ILGPU 1.5.3 moves reads that stand before it. Best placed at a loop's top.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sync()
    {
        Group.Barrier();
        Pin();
    }

    /// <summary>Does nothing, as the block's last operation: the one that ILGPU's code placement does not compare with.</summary>
    [IntrinsicImplementation, DeviceCode("// pinned", "/* pinned */")]
    public static void Pin() { }
}
