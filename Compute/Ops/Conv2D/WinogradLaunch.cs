using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// A 3×3 convolution as 36 products per block of tiles. First all threads transform the block's patches into memory that they share; then each
/// takes panels of weights, transforms them, multiplies all positions, and transforms the results back while they are in its cache. Where the call
/// keeps packed weights, all panels are transformed once, when the launch is bound.
/// </summary>
internal sealed unsafe class WinogradLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private const int LeastGroups = 4;    // per part: each part transforms its weights anew
    private readonly GemmTile tile = GemmTile.Best;
    private readonly WinogradGrid grid;
    private readonly WinogradInput<V> input;
    private readonly WinogradWeights<V> weights;
    private readonly WinogradOutput<V> output;
    private readonly float* transformed, packedWeights; // packed: all blocks of channels of a panel, then those of the next; or null
    private readonly int outputs, panels, groupsPerPart;
    private readonly nint weightPitch, productPitch; // from one position to the next
    private int firstTile, tiles; // the block at hand
    private bool multiplying;

    /// <summary>Binds the arguments.</summary>
    /// <param name="call">Argument, weights and perhaps bias; result; scratch for a block's transformed tiles.</param>
    /// <param name="image">What the kernel is moved over.</param>
    /// <param name="padding">Rows and columns of zeros before the image.</param>
    /// <param name="grid">How the convolution is cut.</param>
    /// <param name="epilogue">What is done to each tile once it is complete, or null.</param>
    public WinogradLaunch(OpCall call, SeenImage image, int padding, WinogradGrid grid, TileEpilogue? epilogue) : base(call)
    {
        (this.grid, outputs) = (grid, call.Output.Width);
        transformed = call.Scratch!.Pointer<float>();
        input = new WinogradInput<V>(image, padding, grid);
        weights = new WinogradWeights<V>(call.Inputs[1], tile.Columns);
        output = new WinogradOutput<V>(call.Output, call.Inputs.Length > 2 ? call.Inputs[2] : null, epilogue, grid);
        (panels, groupsPerPart) = ((outputs + tile.Columns - 1) / tile.Columns, grid.GroupsPerBlock);
        int leastParts = call.Settings[GemmTuning.PartsPerThread] * Workers.Count;
        while (Workers.Count > 1 && panels * Ranges(grid.TilesPerBlock) < leastParts && groupsPerPart >= 2 * LeastGroups)
            groupsPerPart = (groupsPerPart + 1) / 2;
        // One row more than needed: with a power of two between them, the positions would compete for the same cache sets.
        weightPitch = (nint)(grid.ChannelsPerBlock + 1) * tile.Columns;
        productPitch = (nint)(TilesPerPart + 1) * tile.Columns;
        if (call is { Packed: { } kept, PacksTransforms: true }) packedWeights = (float*)((HostBuffer)kept.Get(call.Inputs[1], $"winograd {tile.Columns} columns, {grid.ChannelsPerBlock} channels", PackedBytes, PackAll)).Address;
        Workers.Reserve(Math.Max(input.WorkElements, PanelElements + tile.Columns + weights.WorkElements) * sizeof(float));
    }

    private int TilesPerPart => groupsPerPart * grid.GroupTiles;

    private long PackedBytes => (long)panels * grid.ChannelBlocks * WinogradGrid.Positions * weightPitch * sizeof(float);

    private nint PanelElements => WinogradGrid.Positions * (weightPitch + productPitch);

    public override void Run()
    {
        for (firstTile = 0; firstTile < grid.Tiles; firstTile += grid.TilesPerBlock)
        {
            tiles = Math.Min(grid.TilesPerBlock, grid.Tiles - firstTile);
            multiplying = false;
            Parallel((tiles + grid.GroupTiles - 1) / grid.GroupTiles * grid.ChannelBlocks);
            multiplying = true;
            Parallel(panels * Ranges(tiles));
        }
    }

    public override void Execute(int part, int worker)
    {
        float* work = Workers.Scratch<float>(worker);
        int first = part / panels * TilesPerPart;
        if (multiplying) Multiply(part % panels * tile.Columns, first, Math.Min(TilesPerPart, tiles - first), work);
        else TransformInput(part / grid.ChannelBlocks, part % grid.ChannelBlocks, work);
    }

    [SkipLocalsInit]
    private void PackAll(DeviceBuffer target)
    {
        float[] work = new float[weights.WorkElements];
        fixed (float* unpacked = work)
        {
            float* panel = (float*)((HostBuffer)target).Address;
            for (int column = 0; column < outputs; column += tile.Columns)
                for (int block = 0; block < grid.ChannelBlocks; block++, panel += WinogradGrid.Positions * weightPitch)
                    weights.Transform(column, block * grid.ChannelsPerBlock, ChannelsOf(block), unpacked, panel, weightPitch);
        }
    }

    private int ChannelsOf(int block) => Math.Min(grid.ChannelsPerBlock, grid.Channels - block * grid.ChannelsPerBlock);

    private int Ranges(int blockTiles) => (blockTiles + TilesPerPart - 1) / TilesPerPart;

    private void TransformInput(int group, int channelBlock, float* work)
    {
        int first = group * grid.GroupTiles;
        input.Transform(firstTile + first, Math.Min(grid.GroupTiles, tiles - first), group, channelBlock, work, transformed);
    }

    /// <summary>One panel of result channels for a range of the block's tiles.</summary>
    private void Multiply(int column, int first, int count, float* work)
    {
        float* products = work + WinogradGrid.Positions * weightPitch, bias = work + PanelElements, unpacked = bias + tile.Columns;
        for (int block = 0; block < grid.ChannelBlocks; block++)
        {
            int channels = ChannelsOf(block);
            float* panel = packedWeights is null ? work : packedWeights + ((nint)(column / tile.Columns) * grid.ChannelBlocks + block) * WinogradGrid.Positions * weightPitch;
            if (packedWeights is null) weights.Transform(column, block * grid.ChannelsPerBlock, channels, unpacked, panel, weightPitch);
            for (int position = 0; position < WinogradGrid.Positions; position++)
                MultiplyPosition(block, position, channels, first, count, panel + position * weightPitch, products + position * productPitch);
        }

        int columns = Math.Min(tile.Columns, outputs - column);
        output.Bias(column, columns, bias);
        for (int i = 0; i < count; i++) output.Transform(firstTile + first + i, column, columns, products + (nint)i * tile.Columns, productPitch, bias);
    }

    private void MultiplyPosition(int block, int position, int channels, int first, int count, float* panel, float* products)
    {
        for (int sum = 0; sum * grid.ChannelsPerSum < channels; sum++)
        {
            int depth = Math.Min(grid.ChannelsPerSum, channels - sum * grid.ChannelsPerSum);
            float* b = panel + (nint)sum * grid.ChannelsPerSum * tile.Columns, c = products;
            for (int i = 0; i < count; i += grid.GroupTiles, c += (nint)grid.GroupTiles * tile.Columns)
            {
                float* a = transformed + grid.InputOffset(block, position, sum, (first + i) / grid.GroupTiles);
                tile.Multiply(depth, a, b, c, tile.Columns, Math.Min(grid.GroupTiles, count - i), block + sum > 0, null);
            }
        }
    }
}
