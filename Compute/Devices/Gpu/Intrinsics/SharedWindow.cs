using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// CUDA shared memory by address, and asynchronous copies to it (cp.async); from sm_80 on. Addresses are bytes. Copied data may be read
/// after the copying work item has waited for it and all work items have passed <see cref="Block.Sync"/>.
/// </summary>
internal static class SharedWindow
{
    /// <summary>Address of an element of an array in shared memory.</summary>
    [IntrinsicImplementation,
        DeviceCode("{ .reg .u64 window; cvta.to.shared.u64 window, $1; cvt.u32.u64 $0, window; }", "ilgd_shared_address($1)",
            PtxOfShared = "cvt.u32.u64 $0, $1;")]
    public static uint Address<T>(ref T element) where T : unmanaged => throw OnDevices();

    /// <summary>Starts a copy of sixteen bytes, both ends 16-byte aligned; with <paramref name="bytes"/> of 0 writes zeros.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.cg.shared.global [$0], [$1], 16, $2;", "ilgd_copy_async($1, $2, $3)")]
    public static void Copy<T>(uint target, ref T source, int bytes) where T : unmanaged => throw OnDevices();

    /// <summary>Commits the copies started since the last commit as a group.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.commit_group;", "ilgd_copy_commit()")]
    public static void Commit() => throw OnDevices();

    /// <summary>Waits for this work item's groups, all but the latest.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.wait_group 1;", "ilgd_copy_wait(1)")]
    public static void WaitForAllButOne() => throw OnDevices();

    /// <summary>Waits for all of this work item's groups.</summary>
    [IntrinsicImplementation, DeviceCode("cp.async.wait_group 0;", "ilgd_copy_wait(0)")]
    public static void WaitForAll() => throw OnDevices();

    /// <summary>Writes sixteen bytes, 16-byte aligned.</summary>
    [IntrinsicImplementation, DeviceCode("st.shared.v4.b32 [$0], {$1, $2, $3, $4};", "ilgd_shared_store($1, $2)")]
    public static void Store(uint address, Word4 value) => throw OnDevices();

    /// <summary>Writes two floats, 8-byte aligned.</summary>
    [IntrinsicImplementation, DeviceCode("st.shared.v2.f32 [$0], {$1, $2};", "ilgd_shared_store_pair($1, $2, $3)")]
    public static void StorePair(uint address, float first, float second) => throw OnDevices();

    /// <summary>Reads a float.</summary>
    [IntrinsicImplementation, DeviceCode("ld.shared.f32 $0, [$1];", "ilgd_shared_read($1)")]
    public static float Read(uint address) => throw OnDevices();

    private static NotSupportedException OnDevices() => new("Shared memory has addresses on devices alone.");
}
