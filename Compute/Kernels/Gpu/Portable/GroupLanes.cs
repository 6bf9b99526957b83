namespace ILGpuDiffusion.Compute;

/// <summary>Work items of a group that reduces together: a type argument, because the size of shared memory must be a constant.</summary>
internal interface IGroupLanes
{
    /// <summary>A power of two from 16 to 256.</summary>
    static abstract int Count { get; }
}

/// <summary>For processors: one vector register of work items, little to wait for.</summary>
internal readonly struct Lanes16 : IGroupLanes
{
    public static int Count => 16;
}

/// <summary>For small GPUs.</summary>
internal readonly struct Lanes64 : IGroupLanes
{
    public static int Count => 64;
}

/// <summary>For GPUs.</summary>
internal readonly struct Lanes256 : IGroupLanes
{
    public static int Count => 256;
}

/// <summary>Chooses a group's size.</summary>
internal static class GroupLanes
{
    /// <summary>Type argument and size for a device.</summary>
    public static (Type Type, int Count) Of(GpuTarget target) =>
        target.IsCpu ? (typeof(Lanes16), Lanes16.Count)
        : target.MaxGroupSize < Lanes256.Count ? (typeof(Lanes64), Lanes64.Count)
        : (typeof(Lanes256), Lanes256.Count);
}
