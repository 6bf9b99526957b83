using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Partition of a GEMM's result into parts of rows × columns for the threads. A part packs the weights of its columns and multiplies all of
/// its rows with them. Splitting rows packs the same weights again in each part, so rows are split last. The partition does not change a
/// bit of the result.
/// </summary>
internal readonly record struct GemmPartition
{
    // rows read for fewer columns, or columns packed for fewer rows, cost more than an idle thread
    private const int FewPanels = 6, FewTiles = 8;
    private const double WorthNarrowing = 1.02;

    /// <summary>Computes the partition.</summary>
    /// <param name="rows">Rows of the result.</param>
    /// <param name="columns">Columns of the result.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="tileColumns">Columns of a tile.</param>
    /// <param name="mostRows">The most rows of a part.</param>
    /// <param name="mostColumns">The most columns of a part.</param>
    /// <param name="threads">Number of threads.</param>
    /// <param name="partsPerThread">Least number of parts per thread when there are several threads, as far as there are enough
    /// tiles.</param>
    /// <param name="rowsFirst">Whether rows are split before columns: when packing is cheap and writing dominates, which longer rows make
    /// cheaper.</param>
    public GemmPartition(int rows, int columns, int tileRows, int tileColumns, long mostRows, long mostColumns, int threads,
        int partsPerThread, bool rowsFirst)
    {
        (Rows, Columns) = (Even(rows, mostRows, tileRows),
            Even(columns, Math.Max(mostColumns / tileColumns, 1) * tileColumns, tileColumns));
        while (threads > 1 && Blocks(rows, Rows) * (long)Blocks(columns, Columns) < threads * partsPerThread)
        {
            bool byColumns = (Columns > FewPanels * tileColumns && !rowsFirst) || Rows <= FewTiles * tileRows;
            if (byColumns && Columns == tileColumns) break;
            if (byColumns) Columns = Up(Blocks(Columns, 2), tileColumns);
            else Rows = Up(Blocks(Rows, 2), tileRows);
        }

        RowBlocks = Blocks(rows, Rows);
        Columns = Balanced(RowBlocks, Blocks(columns, tileColumns), Columns / tileColumns, threads) * tileColumns;
        ColumnBlocks = Blocks(columns, Columns);
    }

    /// <summary>Rows of a part, a multiple of the tile's.</summary>
    public int Rows { get; }

    /// <summary>Columns of a part, a multiple of the tile's.</summary>
    public int Columns { get; }

    public int RowBlocks { get; }

    public int ColumnBlocks { get; }

    public int Count => RowBlocks * ColumnBlocks;

    // Panels per part, chosen so that all threads get the same amount of work: 80 panels make 12 parts of at most 7, of which one of two
    // threads would compute 42 panels, but 16 parts of 5, of which each computes 40.
    private static int Balanced(int rowParts, int panels, int most, int threads)
    {
        int best = most;
        for (int fewer = most - 1; fewer > most / 2; fewer--)
            if (Load(fewer) * WorthNarrowing < Load(best)) best = fewer;
        return best;

        int Load(int perPart) => Blocks(rowParts * (long)Blocks(panels, perPart), threads) * perPart;
    }

    private static int Even(int size, long most, int multiple) => Up(Blocks(size, Math.Max(1, Blocks(size, most))), multiple);

    private static int Blocks(long size, long block) => (int)IntegerMath.CeilDiv(size, block);

    private static int Up(int size, int multiple) => Blocks(size, multiple) * multiple;
}
