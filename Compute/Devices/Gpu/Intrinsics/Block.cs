using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Operations of a whole group.</summary>
internal static class Block
{
    /// <summary>
    /// Barrier: waits until all work items of the group have arrived; memory written before is visible to all after. The only barrier that
    /// kernels may use: across a plain one at the end of a loop's body, ILGPU 1.5.3 moves reads that precede it. Best placed at the start
    /// of a loop body.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sync()
    {
        Group.Barrier();
        Pin();
    }

    /// <summary>
    /// No operation, placed last in a block: ILGPU's code placement does not compare reads with a block's last operation.
    /// </summary>
    [IntrinsicImplementation, DeviceCode("// pinned", "/* pinned */")]
    public static void Pin() { }
}
