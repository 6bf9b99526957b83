using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// How a GEMM is partitioned: into parts for the threads, and along K into blocks that fit the caches. Only the K blocks change the order
/// of additions, and they depend on sizes alone: results are the same for any number of threads.
/// </summary>
internal readonly record struct GemmGrid
{
    // of matrices: most of SDXL's inner sizes are this or a multiple, and fewer blocks are fewer passes over the result
    private const int Depth = 640;
    private const int Im2colDepth = 384; // of convolutions, whose sums are longer: shorter blocks round less
    private const int Shallow = 320; // little to pack
    private const int ChannelGroup = 8; // packing transposes this many channels at a time

    public GemmGrid(int rows, int columns, int channels, int positions, GemmTile tile, int threads, KernelSettings settings)
    {
        int depthBlocks = Blocks((long)channels * positions, positions == 1 ? Depth : Im2colDepth);
        ChannelsPerBlock = Math.Min(channels, Blocks(Blocks(channels, depthBlocks), ChannelGroup) * ChannelGroup);
        long mostColumns = settings[GemmTuning.PackedKib] * (1024L / sizeof(float)) / (ChannelsPerBlock * positions);
        Parts = new GemmPartition(rows, columns, tile.Rows, tile.Columns, settings[GemmTuning.PartRows], mostColumns, threads,
            settings[GemmTuning.PartsPerThread], rowsFirst: channels * positions <= Shallow);
    }

    public GemmPartition Parts { get; }

    /// <summary>Channels of one K block; the block holds all kernel positions of these channels.</summary>
    public int ChannelsPerBlock { get; }

    private static int Blocks(long size, int block) => (int)IntegerMath.CeilDiv(size, block);
}
