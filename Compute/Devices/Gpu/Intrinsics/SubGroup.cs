using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Work items that exchange values through registers: a CUDA warp, an OpenCL sub-group. All of them must reach the call together. Only for
/// devices with <see cref="GpuFeatures.SubGroups"/> (lane and sub-group index also with matrix instructions); the C# bodies are a sub-group
/// of one.
/// </summary>
internal static class SubGroup
{
    private const string Shuffle = "shfl.sync.bfly.b32 $0, $1, $2, 31, -1;", Exchanged = "ilgd_exchange($1, $2)";

    /// <summary>The value of the work item whose lane index differs in the bits of <paramref name="distance"/>.</summary>
    [IntrinsicImplementation, DeviceCode(Shuffle, Exchanged)]
    public static float Exchange(float value, int distance) => value;

    /// <summary>The value of the work item whose lane index differs in the bits of <paramref name="distance"/>.</summary>
    [IntrinsicImplementation, DeviceCode(Shuffle, Exchanged)]
    public static int ExchangeInteger(int value, int distance) => value;

    /// <summary>Work items per sub-group, a power of two.</summary>
    [IntrinsicImplementation, DeviceCode("mov.u32 $0, WARP_SZ;", "ilgd_sub_group_size()")]
    public static int Size() => 1;

    /// <summary>This work item's index in its sub-group.</summary>
    [IntrinsicImplementation, DeviceCode("mov.u32 $0, %laneid;", "ilgd_lane()")]
    public static int Lane() => 0;

    /// <summary>Index of the sub-group in its group, which has one dimension.</summary>
    [IntrinsicImplementation, DeviceCode("{ .reg .u32 item; mov.u32 item, %tid.x; shr.u32 $0, item, 5; }", "ilgd_sub_group()")]
    public static int Number() => 0;
}
