using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// A 3×3 convolution as 36 GEMMs per block of tiles. Either each thread takes blocks of its own and multiplies them with all weights,
/// transformed beforehand; or all threads transform a block's patches into shared memory, and each then takes panels of weights, which it
/// transforms. Results are transformed back while they are in the thread's cache. If the call keeps packed weights, panels are transformed
/// once, when the launch is bound.
/// </summary>
internal sealed unsafe class WinogradLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private const int LeastGroups = 4;    // per part: each part transforms its weights anew
    private const int CacheLine = 16; // floats
    private readonly GemmTile tile = GemmTile.Best;
    private readonly WinogradGrid grid;
    private readonly WinogradInput<V> input;
    private readonly WinogradWeights<V> weights;
    private readonly WinogradOutput<V> output;
    private readonly float* transformed, keptWeights; // kept: panel by panel, all channels of each; or null
    private readonly bool keepsInRun;
    private readonly WinogradOverlap? overlap;
    private readonly int outputs, groupsPerPart;
    private readonly nint gemmPitch; // elements from one position to the next
    private int firstTile, tiles; // of the current block
    private Phase phase;

    /// <summary>Binds the arguments.</summary>
    /// <param name="call">Argument, weights and perhaps bias; result; scratch.</param>
    /// <param name="image">The convolved image.</param>
    /// <param name="padding">Rows and columns of zeros before the image.</param>
    /// <param name="grid">Partition of the convolution.</param>
    /// <param name="epilogue">Applied to each completed tile, or null.</param>
    public WinogradLaunch(OpCall call, SeenImage image, int padding, WinogradGrid grid, TileEpilogue? epilogue) : base(call)
    {
        (this.grid, outputs, overlap) = (grid, call.Output.Width, WinogradOverlap.Of(call));
        transformed = call.Scratch!.Pointer<float>();
        input = new WinogradInput<V>(image, padding, grid);
        weights = new WinogradWeights<V>(call.Inputs[1], tile.Columns);
        output = new WinogradOutput<V>(call.Output, call.Inputs.Length > 2 ? call.Inputs[2] : null, epilogue, grid);
        groupsPerPart = grid.GroupsPerBlock;
        int leastParts = call.Settings[GemmTuning.PartsPerThread] * Workers.Count;
        while (!grid.IsOwn && Workers.Count > 1 && grid.Panels * Ranges(grid.TilesPerBlock) < leastParts
            && groupsPerPart >= 2 * LeastGroups)
            groupsPerPart = (groupsPerPart + 1) / 2;
        // One row more than needed: with power-of-two pitches, positions would map to the same cache sets.
        gemmPitch = (nint)(TilesPerPart + 1) * tile.Columns;
        if (call is { Packed: { } kept, PacksTransforms: true })
        {
            long bytes = grid.WeightElements * sizeof(float);
            keptWeights = (float*)((HostBuffer)kept.Get(call.Inputs[1], new WinogradPanels(tile.Columns), bytes, PackAll)).Address;
        }
        else if (keepsInRun = grid.IsOwn)
        {
            keptWeights = transformed;
        }

        Workers.Reserve((OwnElements + PanelElements + GemmElements + tile.Columns + weights.WorkElements) * sizeof(float));
    }

    private enum Phase { Weights, Input, Panels, Tiles }

    private int TilesPerPart => groupsPerPart * grid.GroupTiles;

    private nint OwnElements => grid.IsOwn ? (nint)grid.InputElements : 0;

    private nint PanelElements => keptWeights is null ? grid.ChannelsPerBlock / WinogradGrid.ChannelStep * grid.PanelStep : 0;

    private nint GemmElements => WinogradGrid.Positions * gemmPitch;

    public override void Run()
    {
        if (keepsInRun) Run(Phase.Weights, grid.Panels * grid.ChannelBlocks);
        if (grid.IsOwn) RunOwn();
        else RunShared();
    }

    private void RunOwn()
    {
        int rows = grid.Tiles / grid.TilesAcross;
        for (int row = 0, end; row < rows; row = end)
        {
            end = overlap?.BatchEnd(row, rows) ?? rows;
            (firstTile, tiles) = (row * grid.TilesAcross, (end - row) * grid.TilesAcross);
            Run(Phase.Tiles, IntegerMath.CeilDiv(tiles, grid.TilesPerBlock));
        }
    }

    // If the result overlaps the argument, a block's tiles are read before any is written, and later blocks read beyond what this one
    // writes.
    private void RunShared()
    {
        for (firstTile = 0; firstTile < grid.Tiles; firstTile += grid.TilesPerBlock)
        {
            tiles = Math.Min(grid.TilesPerBlock, grid.Tiles - firstTile);
            Run(Phase.Input, IntegerMath.CeilDiv(tiles, grid.GroupTiles) * grid.ChannelBlocks);
            Run(Phase.Panels, grid.Panels * Ranges(tiles));
        }
    }

    public override void Execute(int part, int worker)
    {
        float* own = Workers.Scratch<float>(worker), work = own + OwnElements;
        switch (phase)
        {
            case Phase.Weights:
                TransformWeights(part / grid.ChannelBlocks, part % grid.ChannelBlocks, Kept(keptWeights, part), work);
                break;
            case Phase.Tiles:
                int start = firstTile + part * grid.TilesPerBlock, count = Math.Min(grid.TilesPerBlock, firstTile + tiles - start);
                for (int i = 0; i < count; i += grid.GroupTiles)
                    for (int block = 0; block < grid.ChannelBlocks; block++)
                        input.Transform(start + i, Math.Min(grid.GroupTiles, count - i), i / grid.GroupTiles, block, own);
                for (int panel = 0; panel < grid.Panels; panel++) Multiply(own, panel, start, 0, count, work);
                break;
            case Phase.Input:
                int group = part / grid.ChannelBlocks, tile0 = group * grid.GroupTiles;
                input.Transform(firstTile + tile0, Math.Min(grid.GroupTiles, tiles - tile0), group, part % grid.ChannelBlocks, transformed);
                break;
            default:
                int first = part / grid.Panels * TilesPerPart;
                Multiply(transformed, part % grid.Panels, firstTile, first, Math.Min(TilesPerPart, tiles - first), work);
                break;
        }
    }

    private void Run(Phase next, int parts)
    {
        phase = next;
        Parallel(parts);
    }

    private void PackAll(DeviceBuffer target)
    {
        float[] work = new float[weights.WorkElements];
        fixed (float* unpacked = work)
        {
            float* panel = (float*)((HostBuffer)target).Address;
            for (int part = 0; part < grid.Panels * grid.ChannelBlocks; part++)
                TransformWeights(part / grid.ChannelBlocks, part % grid.ChannelBlocks, Kept(panel, part), unpacked);
        }
    }

    private void TransformWeights(int panel, int block, float* target, float* work) =>
        weights.Transform(panel * tile.Columns, block * grid.ChannelsPerBlock, ChannelsOf(block), work, target, grid);

    /// <summary>Address of a panel's block of channels in all transformed weights.</summary>
    private float* Kept(float* all, int part) =>
        all + (part / grid.ChannelBlocks * grid.Steps + part % grid.ChannelBlocks * (grid.ChannelsPerBlock / WinogradGrid.ChannelStep))
            * grid.PanelStep;

    private int ChannelsOf(int block) => Math.Min(grid.ChannelsPerBlock, grid.Channels - block * grid.ChannelsPerBlock);

    private int Ranges(int blockTiles) => IntegerMath.CeilDiv(blockTiles, TilesPerPart);

    /// <summary>One panel of result channels for a range of a block's tiles.</summary>
    private void Multiply(float* a, int panel, int blockTile, int first, int count, float* work)
    {
        float* gemmResults = work + PanelElements, bias = gemmResults + GemmElements, unpacked = bias + tile.Columns;
        int column = panel * tile.Columns;
        for (int block = 0; block < grid.ChannelBlocks; block++)
        {
            float* b = keptWeights is null ? work : Kept(keptWeights, panel * grid.ChannelBlocks + block);
            if (keptWeights is null) TransformWeights(panel, block, b, unpacked);
            for (int position = 0; position < WinogradGrid.Positions; position++)
                MultiplyPosition(a, block, position, first, count, b + position * grid.PanelPosition, gemmResults + position * gemmPitch);
        }

        int columns = Math.Min(tile.Columns, outputs - column);
        output.Bias(column, columns, bias);
        for (int i = 0; i < count; i++)
            output.Transform(blockTile + first + i, column, columns, gemmResults + (nint)i * tile.Columns, gemmPitch, bias);
    }

    [MethodImpl(Jit.Kernel)]
    private void MultiplyPosition(float* tiles, int block, int position, int first, int count, float* panel, float* gemmResults)
    {
        int channels = ChannelsOf(block), groups = IntegerMath.CeilDiv(count, grid.GroupTiles);
        int linesAhead = IntegerMath.CeilDiv(WinogradGrid.ChannelStep * tile.Columns / CacheLine, groups);
        float* start = tiles + first / grid.GroupTiles * grid.GroupElements
            + block * grid.ChannelsPerBlock / WinogradGrid.ChannelStep * grid.InputStep + position * grid.InputPosition;
        nint steps = grid.ChannelsPerSum / WinogradGrid.ChannelStep;
        for (int channel = 0; channel < channels; channel += grid.ChannelsPerSum, start += steps * grid.InputStep,
            panel += steps * grid.PanelStep)
        {
            int depth = Math.Min(grid.ChannelsPerSum, channels - channel);
            float* a = start, c = gemmResults, nextB = panel + grid.PanelPosition;
            float* following = channel + depth < channels ? start + steps * grid.InputStep
                : start - channel / WinogradGrid.ChannelStep * grid.InputStep + grid.InputPosition;
            for (int group = 0; group < groups; group++, a += grid.GroupElements, c += (nint)grid.GroupTiles * tile.Columns,
                nextB += linesAhead * CacheLine)
            {
                var next = new WinogradAhead((nint)(group + 1 < groups ? a + grid.GroupElements : following), (nint)nextB, linesAhead);
                WinogradGemm<V>.Multiply(depth, a, grid.InputStep, panel, grid.PanelStep, c,
                    Math.Min(grid.GroupTiles, count - group * grid.GroupTiles), block > 0 || channel > 0, next);
            }
        }
    }
}

/// <summary>Transformed filters in panels of columns.</summary>
/// <param name="Columns">Columns of a panel.</param>
internal sealed record WinogradPanels(int Columns) : PackedLayout;
