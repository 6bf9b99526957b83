namespace ILGpuDiffusion.Compute;

/// <summary>
/// How Winograd's convolution is cut. The image falls into tiles of 4×4 results; <see cref="TilesPerBlock"/> of them are transformed at a time,
/// so that working memory stays small however large the image is. Transformed values are products' left operands, packed: groups of as many
/// tiles as a register tile has rows. Sizes alone decide everything that changes the order of additions.
/// </summary>
internal readonly record struct WinogradGrid
{
    /// <summary>Results along one side of a tile, and pixels along one side of the patch that they are made of.</summary>
    public const int TileSide = 4, PatchSide = 6;

    /// <summary>Values of a patch after its transform, each of which takes part in a product of its own.</summary>
    public const int Positions = PatchSide * PatchSide;

    /// <summary>Channels that the input transform handles at a time.</summary>
    public const int ChannelStep = 16;

    // A panel's products: 36 · 132 · 32 · 4 bytes = 0.6 MiB with 512-bit registers, half with 256-bit. Twice as many tiles are a little faster, but for twice the memory.
    private static readonly TuningParameter MostTiles = new("block_tiles", 132, 48, 60, 84, 108, 132, 156, 180);
    private const long BlockBytes = 12 << 20; // a block's transformed tiles are read once per panel of weights: from the L3 cache
    private const int MostChannels = 160;  // a panel's transformed weights: 36 · 160 · 32 · 4 bytes = 0.7 MiB, or half
    private const int LongestSum = 80, ShortestSum = 16, SumsAtLeast = 4;

    public WinogradGrid(Shape output, int channels, GemmTile tile, KernelSettings settings)
    {
        (Channels, GroupTiles) = (channels, tile.Rows);
        (TilesDown, TilesAcross) = (Blocks(output[1], TileSide), Blocks(output[2], TileSide));
        Tiles = checked(output[0] * TilesDown * TilesAcross);
        int perBlock = Blocks(channels, Math.Max(1, Blocks(channels, MostChannels)));
        // Short sums, added up afterwards, keep the rounding error as small as a direct product's, however many or few the channels are.
        SumsPerBlock = Math.Max(1, Blocks(perBlock, Math.Clamp(channels / SumsAtLeast, ShortestSum, LongestSum)));
        ChannelsPerSum = Up(Blocks(perBlock, SumsPerBlock), ChannelStep);
        ChannelBlocks = Blocks(channels, ChannelsPerBlock);
        int most = (int)Math.Clamp(BlockBytes / ((long)Positions * Math.Max(1, channels) * sizeof(float)), 4 * GroupTiles, Math.Max(4 * GroupTiles, settings[MostTiles]));
        TilesPerBlock = Up(Math.Max(1, Blocks(Tiles, Math.Max(1, Blocks(Tiles, most)))), GroupTiles);
    }

    /// <summary>What can be set without changing a bit of the result: tiles do not depend on each other.</summary>
    public static TuningSpace Tuning { get; } = new(MostTiles, GemmTuning.PartsPerThread);

    public int Channels { get; }

    public int TilesDown { get; }

    public int TilesAcross { get; }

    /// <summary>Tiles of all images.</summary>
    public int Tiles { get; }

    /// <summary>A multiple of <see cref="GroupTiles"/>.</summary>
    public int TilesPerBlock { get; }

    /// <summary>Tiles packed together: the register tile's rows.</summary>
    public int GroupTiles { get; }

    public int GroupsPerBlock => TilesPerBlock / GroupTiles;

    public int ChannelBlocks { get; }

    public int SumsPerBlock { get; }

    /// <summary>Channels that are summed in registers before they are added to the rest; a multiple of <see cref="ChannelStep"/>.</summary>
    public int ChannelsPerSum { get; }

    /// <summary>Channels whose transformed weights exist at a time.</summary>
    public int ChannelsPerBlock => SumsPerBlock * ChannelsPerSum;

    /// <summary>Floats of a block's transformed tiles.</summary>
    public long InputElements => (long)ChannelBlocks * Positions * SumsPerBlock * GroupsPerBlock * GroupElements;

    private int GroupElements => ChannelsPerSum * GroupTiles + Packer.Overrun;

    /// <summary>Where a group's packed values begin among a block's transformed tiles.</summary>
    public long InputOffset(int channelBlock, int position, int sum, int group) =>
        ((((long)channelBlock * Positions + position) * SumsPerBlock + sum) * GroupsPerBlock + group) * GroupElements;

    private static int Blocks(int size, int block) => (size + block - 1) / block;

    private static int Up(int size, int multiple) => Blocks(size, multiple) * multiple;
}
