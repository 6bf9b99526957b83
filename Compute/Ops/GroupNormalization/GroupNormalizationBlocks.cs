using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Partition for the statistics: an entry is split into bundles of whole groups times blocks of rows, small enough for a cache, because a
/// block is read twice. Depends on sizes only, never on the number of threads.
/// </summary>
internal readonly struct GroupNormalizationBlocks
{
    /// <summary>Partitions an image.</summary>
    /// <param name="x">Its shape, channels last.</param>
    /// <param name="groups">Number of groups.</param>
    /// <param name="bundleChannels">Channels of a bundle, unless a single group has more.</param>
    /// <param name="blockElements">Elements of a block, unless a single row has more.</param>
    public GroupNormalizationBlocks(Shape x, int groups, int bundleChannels, int blockElements)
    {
        (Entries, Channels, Groups) = (x[0], x.Last, groups);
        RowsPerEntry = Entries == 0 ? 0 : x.Rows / Entries;
        GroupChannels = Channels / groups;
        GroupsPerBundle = Math.Clamp(bundleChannels / GroupChannels, 1, groups);
        Bundles = IntegerMath.CeilDiv(groups, GroupsPerBundle);
        RowsPerBlock = Math.Clamp(blockElements / (GroupsPerBundle * GroupChannels), 1, Math.Max(RowsPerEntry, 1));
        Blocks = IntegerMath.CeilDiv(RowsPerEntry, RowsPerBlock);
    }

    public int Entries { get; }

    public int Channels { get; }

    public int Groups { get; }

    /// <summary>Positions of one entry.</summary>
    public int RowsPerEntry { get; }

    /// <summary>Channels of one group.</summary>
    public int GroupChannels { get; }

    public int GroupsPerBundle { get; }

    public int Bundles { get; }

    public int RowsPerBlock { get; }

    /// <summary>Blocks of rows of one entry and bundle.</summary>
    public int Blocks { get; }
}
