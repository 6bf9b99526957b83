using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Shared memory of CUDA by address, and copies into it that run beside the arithmetic; from sm_80 on. Addresses are bytes. What a copy brings may be read when this work
/// item has waited for it and all have met at <see cref="Block.Sync"/>.
/// </summary>
internal static class SharedWindow
{
    /// <summary>The address of an element of an array in shared memory.</summary>
    [IntrinsicImplementation, DeviceCode("{ .reg .u64 window; cvta.to.shared.u64 window, $1; cvt.u32.u64 $0, window; }", "ilgd_shared_address($1)", PtxOfShared = "cvt.u32.u64 $0, $1;")]
    public static uint Address<T>(ref T element) where T : unmanaged => throw OnDevices();

    /// <summary>Begins to copy sixteen bytes, both ends at multiples of 16; with <paramref name="bytes"/> of 0 writes zeros.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.cg.shared.global [$0], [$1], 16, $2;", "ilgd_copy_async($1, $2, $3)")]
    public static void Copy<T>(uint target, ref T source, int bytes) where T : unmanaged => throw OnDevices();

    /// <summary>Makes a portion of the copies begun since the last portion.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.commit_group;", "ilgd_copy_commit()")]
    public static void Commit() => throw OnDevices();

    /// <summary>Waits for this work item's portions, all but the latest.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.wait_group 1;", "ilgd_copy_wait(1)")]
    public static void WaitForAllButOne() => throw OnDevices();

    /// <summary>Waits for all of this work item's portions.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.wait_group 0;", "ilgd_copy_wait(0)")]
    public static void WaitForAll() => throw OnDevices();

    /// <summary>Writes sixteen bytes at a multiple of 16.</summary>
    [IntrinsicImplementation, DeviceCode("st.shared.v4.b32 [$0], {$1, $2, $3, $4};", "ilgd_shared_store($1, $2)")]
    public static void Store(uint address, Word4 value) => throw OnDevices();

    /// <summary>Writes two floats at a multiple of 8.</summary>
    [IntrinsicImplementation, DeviceCode("st.shared.v2.f32 [$0], {$1, $2};", "ilgd_shared_store_pair($1, $2, $3)")]
    public static void StorePair(uint address, float first, float second) => throw OnDevices();

    /// <summary>Reads a float.</summary>
    [IntrinsicImplementation, DeviceCode("ld.shared.f32 $0, [$1];", "ilgd_shared_read($1)")]
    public static float Read(uint address) => throw OnDevices();

    private static NotSupportedException OnDevices() => new("Shared memory has addresses on devices alone.");
}
