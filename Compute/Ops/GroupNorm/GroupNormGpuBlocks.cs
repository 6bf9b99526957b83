namespace ILGpuDiffusion.Compute;

/// <summary>How statistics are taken on GPUs: an entry falls into bundles of whole groups, as many channels as a group has work items, times blocks of rows.</summary>
internal readonly struct GroupNormGpuBlocks
{
    private const int ElementsPerItem = 32; // enough blocks for every processor, few enough to join at once

    public GroupNormGpuBlocks(Shape x, int groups, int lanes, int momentsPerBlock, int linesPerChannel)
    {
        (Entries, Channels, Groups) = (x[0], x.Last, groups);
        RowsPerEntry = Entries == 0 ? 0 : x.Rows / Entries;
        GroupChannels = Channels / groups;
        GroupsPerBundle = Math.Clamp(lanes / GroupChannels, 1, groups);
        Bundles = (groups + GroupsPerBundle - 1) / GroupsPerBundle;
        RowsPerBlock = Math.Clamp(ElementsPerItem * lanes / (GroupsPerBundle * GroupChannels), 1, Math.Max(RowsPerEntry, 1));
        Blocks = Math.Max(1, (RowsPerEntry + RowsPerBlock - 1) / RowsPerBlock);
        MomentElements = ((long)momentsPerBlock * Entries * Groups * Blocks + Access.Width - 1) / Access.Width * Access.Width;
        ScratchElements = MomentElements + (long)linesPerChannel * Entries * Channels;
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

    /// <summary>Blocks of rows of one entry.</summary>
    public int Blocks { get; }

    /// <summary>Floats for the moments of every block and group, up to where four can be reached at once.</summary>
    public long MomentElements { get; }

    /// <summary>Floats for moments and lines.</summary>
    public long ScratchElements { get; }
}
