using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Work items of a group that reduces together: a type argument, because the size of local memory must be a constant.</summary>
internal interface IGroupLanes
{
    /// <summary>A power of two from 16 to 256.</summary>
    static abstract int Count { get; }

    /// <summary>Whether values are exchanged within sub-groups, so that only one result per sub-group goes through local memory.</summary>
    static abstract bool HasSubGroups { get; }
}

/// <summary>For CPU devices: one vector register of work items, little synchronisation.</summary>
internal readonly struct Lanes16 : IGroupLanes
{
    public static int Count => 16;

    public static bool HasSubGroups => false;
}

/// <summary>For small GPUs.</summary>
internal readonly struct Lanes64 : IGroupLanes
{
    public static int Count => 64;

    public static bool HasSubGroups => false;
}

/// <summary>For GPUs.</summary>
internal readonly struct Lanes256 : IGroupLanes
{
    public static int Count => 256;

    public static bool HasSubGroups => false;
}

/// <summary>For small GPUs with sub-groups.</summary>
internal readonly struct SubGroupLanes64 : IGroupLanes
{
    public static int Count => 64;

    public static bool HasSubGroups => true;
}

/// <summary>For GPUs with sub-groups.</summary>
internal readonly struct SubGroupLanes256 : IGroupLanes
{
    public static int Count => 256;

    public static bool HasSubGroups => true;
}

/// <summary>Chooses the group size.</summary>
internal static class GroupLanes
{
    /// <summary>Type argument and size for a device.</summary>
    public static (Type Type, int Count) Of(GpuTarget target)
    {
        bool small = target.MaxGroupSize < Lanes256.Count, exchanges = target.Features.SubGroups != SubGroupKind.None;
        return target.IsCpu ? (typeof(Lanes16), Lanes16.Count)
            : small ? (exchanges ? typeof(SubGroupLanes64) : typeof(Lanes64), Lanes64.Count)
            : (exchanges ? typeof(SubGroupLanes256) : typeof(Lanes256), Lanes256.Count);
    }
}
