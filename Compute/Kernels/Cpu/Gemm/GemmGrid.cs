namespace ILGpuDiffusion.Compute;

/// <summary>
/// How a product is cut: into parts of rows × columns for the threads, and along the inner dimension into blocks that fit the caches.
/// Only the latter changes the order of additions, and it depends on the sizes alone: results are the same for any number of threads.
/// </summary>
internal readonly record struct GemmGrid
{
    private const int Depth = 640; // of matrices: most of SDXL's inner sizes are this or a multiple, and fewer blocks are fewer passes over the result
    private const int NeighbourhoodDepth = 384; // of convolutions, whose sums are longer: shorter blocks round less
    private const int FewPanels = 6, FewTiles = 8;
    private const int ChannelGroup = 8; // packing transposes this many channels at a time

    public GemmGrid(int rows, int columns, int channels, int taps, GemmTile tile, int threads, KernelSettings settings)
    {
        int depthBlocks = Blocks((long)channels * taps, taps == 1 ? Depth : NeighbourhoodDepth);
        ChannelsPerBlock = Math.Min(channels, Up(Blocks(channels, depthBlocks), ChannelGroup));
        long mostColumns = Math.Max(1, settings[GemmTuning.PackedKib] * (1024L / sizeof(float)) / (ChannelsPerBlock * taps) / tile.Columns) * tile.Columns;
        (RowsPerPart, ColumnsPerPart) = (Even(rows, settings[GemmTuning.PartRows], tile.Rows), Even(columns, mostColumns, tile.Columns));
        int leastParts = settings[GemmTuning.PartsPerThread] * threads;
        while (threads > 1 && Blocks(rows, RowsPerPart) * (long)Blocks(columns, ColumnsPerPart) < leastParts)
        {
            // Columns first, as no row is packed for them; but rows read for too few columns would come from too far away.
            bool byColumns = ColumnsPerPart > FewPanels * tile.Columns || RowsPerPart <= FewTiles * tile.Rows;
            if (byColumns && ColumnsPerPart == tile.Columns) break;
            if (byColumns) ColumnsPerPart = Up(Blocks(ColumnsPerPart, 2), tile.Columns);
            else RowsPerPart = Up(Blocks(RowsPerPart, 2), tile.Rows);
        }

        (RowParts, ColumnParts) = (Blocks(rows, RowsPerPart), Blocks(columns, ColumnsPerPart));
    }

    /// <summary>A multiple of the tile's rows.</summary>
    public int RowsPerPart { get; }

    /// <summary>A multiple of the tile's columns.</summary>
    public int ColumnsPerPart { get; }

    public int RowParts { get; }

    public int ColumnParts { get; }

    /// <summary>Channels of one block of the inner dimension; the block holds all their taps.</summary>
    public int ChannelsPerBlock { get; }

    private static int Even(int size, long most, int multiple) => Up(Blocks(size, Math.Max(1, Blocks(size, most))), multiple);

    private static int Blocks(long size, long block) => (int)((size + block - 1) / block);

    private static int Up(int size, int multiple) => Blocks(size, multiple) * multiple;
}
