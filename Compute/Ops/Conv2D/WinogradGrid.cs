using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Partition of Winograd's convolution. The image consists of tiles of 4×4 results; <see cref="TilesPerBlock"/> of them are transformed at
/// a time, so that scratch memory stays small however large the image is. Transformed values are packed left operands: groups of as many
/// tiles as a register tile has rows. Everything that changes the order of additions depends on sizes alone.
/// </summary>
internal readonly record struct WinogradGrid
{
    /// <summary>Side of a tile in results, and of its input patch in pixels.</summary>
    public const int TileSide = 4, PatchSide = 6;

    /// <summary>Values of a transformed patch; each belongs to a GEMM of its own.</summary>
    public const int Positions = PatchSide * PatchSide;

    /// <summary>Channels per step of the input transform.</summary>
    public const int ChannelStep = 16;

    // a panel's GEMM results: 36 · 264 · 32 · 4 bytes = 1.2 MiB with 512-bit registers, half with 256-bit
    private static readonly TuningParameter MostTiles = new("block_tiles", 264, 48, 84, 132, 180, 264, 360);
    // transformed tiles in a thread's L2 cache, together with their GEMM results
    private static readonly TuningParameter OwnKib = new("own_kib", SimdWidth.Bits == 512 ? 1200 : 280, 140, 280, 560, 900, 1200, 1600);
    private const long BlockBytes = 24 << 20; // a shared block's transformed tiles are read once per panel of weights: from the L3 cache
    private const long OwnWeightBytes = 10 << 20; // transformed weights that every block of a thread's own reads: from the L3 cache
    // with fewer, too little is done with the weights that are read
    private const int LeastOwnTiles = 12, LeastTiles = 48, LeastOwnParts = 8;
    private const int MostChannels = 160;  // a panel's transformed weights: 36 · 160 · 32 · 4 bytes = 0.7 MiB, or half
    private const int LongestSum = 80, ShortestSum = 16, FewChannels = 256;

    public WinogradGrid(Shape output, int channels, GemmTile tile, KernelSettings settings)
    {
        (Channels, GroupTiles, PanelColumns, Panels) = (channels, tile.Rows, tile.Columns, IntegerMath.CeilDiv(output.Last, tile.Columns));
        (TilesDown, TilesAcross) = (IntegerMath.CeilDiv(output[1], TileSide), IntegerMath.CeilDiv(output[2], TileSide));
        Tiles = checked(output[0] * TilesDown * TilesAcross);
        int perBlock = IntegerMath.CeilDiv(channels, Math.Max(1, IntegerMath.CeilDiv(channels, MostChannels)));
        // Short partial sums keep the rounding error as small as that of the implicit GEMM; with fewer channels they must be shorter,
        // because fewer of them are added up.
        SumsPerBlock = Math.Max(1, IntegerMath.CeilDiv(perBlock, Math.Clamp(channels * channels / FewChannels, ShortestSum, LongestSum)));
        ChannelsPerSum = IntegerMath.RoundUp(IntegerMath.CeilDiv(perBlock, SumsPerBlock), ChannelStep);
        ChannelBlocks = IntegerMath.CeilDiv(channels, ChannelsPerBlock);
        long tileBytes = (long)Positions * IntegerMath.RoundUp(Math.Max(1, channels), ChannelStep) * sizeof(float);
        int own = (int)Math.Min(settings[OwnKib] * 1024L / tileBytes / GroupTiles * GroupTiles, settings[MostTiles]);
        IsOwn = own >= LeastOwnTiles && Tiles >= LeastTiles && WeightElements * sizeof(float) <= OwnWeightBytes;
        while (IsOwn && own > LeastOwnTiles && Tiles < own * LeastOwnParts) own -= GroupTiles;
        int most = IsOwn ? own : (int)Math.Clamp(BlockBytes / tileBytes, 4 * GroupTiles, Math.Max(4 * GroupTiles, settings[MostTiles]));
        TilesPerBlock = IntegerMath.RoundUp(Math.Max(1, IntegerMath.CeilDiv(Tiles, Math.Max(1, IntegerMath.CeilDiv(Tiles, most)))),
            GroupTiles);
    }

    /// <summary>
    /// Whether each thread transforms the tiles that it multiplies, which stay in its L2 cache, while all transformed weights are read;
    /// else threads share a block's tiles, and each transforms the weights that it multiplies. The former costs less if all weights fit a
    /// cache and there are enough tiles.
    /// </summary>
    public bool IsOwn { get; }

    /// <summary>Tuning parameters, none of which changes a bit of the result: tiles are independent of each other.</summary>
    public static TuningSpace Tuning { get; } = new(MostTiles, OwnKib, GemmTuning.PartsPerThread);

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

    /// <summary>Channels summed in registers before they are added to the total; a multiple of <see cref="ChannelStep"/>.</summary>
    public int ChannelsPerSum { get; }

    /// <summary>Channels whose transformed weights are in memory at a time.</summary>
    public int ChannelsPerBlock => SumsPerBlock * ChannelsPerSum;

    /// <summary>Steps of <see cref="ChannelStep"/> channels.</summary>
    public int Steps => IntegerMath.CeilDiv(Channels, ChannelStep);

    /// <summary>Floats that threads share: a block's transformed tiles, or all transformed weights.</summary>
    public long ScratchElements => IsOwn ? WeightElements : InputElements;

    /// <summary>Floats of a block's transformed tiles.</summary>
    public long InputElements => (long)GroupsPerBlock * GroupElements;

    /// <summary>
    /// Floats of a group's transformed tiles: all steps, each with all positions next to each other, so that a transform writes to few
    /// memory pages.
    /// </summary>
    public nint GroupElements => Steps * InputStep;

    /// <summary>Floats of a group's transformed tiles for one step of channels.</summary>
    public nint InputStep => Positions * InputPosition;

    /// <summary>Floats of a group's transformed tiles for one step and position.</summary>
    public nint InputPosition => GroupTiles * ChannelStep;

    /// <summary>Floats of all transformed weights: panels, each with all steps.</summary>
    public long WeightElements => (long)Panels * Steps * PanelStep;

    /// <summary>Floats of a panel's transformed weights for one step of channels.</summary>
    public nint PanelStep => Positions * PanelPosition;

    /// <summary>
    /// Floats of a panel's transformed weights for one step and position: one register more than needed, because with power-of-two pitches
    /// the positions would map to the same cache sets.
    /// </summary>
    public nint PanelPosition => ChannelStep * PanelColumns + ChannelStep;

    private int PanelColumns { get; }

    /// <summary>Panels of result channels.</summary>
    public int Panels { get; }
}
