namespace ILGpuDiffusion.Compute;

/// <summary>
/// How statistics are taken: an entry falls into blocks of rows times bundles of whole groups, small enough for the L2 cache, because a
/// block is read twice. Depends on sizes only, never on the number of threads.
/// </summary>
internal readonly struct GroupNormBlocks
{
    private const int BlockElements = 32768; // 128 KiB
    private const int BundleChannels = 128; // 512 bytes of a row at a time: enough neighbouring cache lines for the prefetcher

    public GroupNormBlocks(Shape x, int groups)
    {
        (Entries, Channels, Groups) = (x[0], x.Last, groups);
        RowsPerEntry = Entries == 0 ? 0 : x.Rows / Entries;
        GroupChannels = Channels / groups;
        GroupsPerBundle = Math.Clamp(BundleChannels / GroupChannels, 1, groups);
        Bundles = (groups + GroupsPerBundle - 1) / GroupsPerBundle;
        RowsPerBlock = Math.Clamp(BlockElements / (GroupsPerBundle * GroupChannels), 1, Math.Max(RowsPerEntry, 1));
        Blocks = (RowsPerEntry + RowsPerBlock - 1) / RowsPerBlock;
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

    /// <summary>Mean and centred sum of squares of each block and group.</summary>
    public long MomentCount => 2L * Entries * Groups * Blocks;

    /// <summary>Origin, factor and summand of each entry and channel.</summary>
    public long LineCount => 3L * Entries * Channels;
}
