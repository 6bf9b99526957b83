using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// y = x·wᵀ + bias with packed weights. For each K block, a part packs the panels of its columns, which stay in the L2 cache, then
/// multiplies one row tile after the other with all of them. A matrix's rows are read in place; a convolution's im2col rows are gathered
/// tile by tile. Weights are read as they are stored, so a memory-mapped file is never copied as a whole; if the call keeps packed weights,
/// all panels are packed once, when the launch is bound.
/// </summary>
internal sealed unsafe class GemmLaunch : CpuLaunch
{
    private const int Alignment = 16; // floats in a cache line: a panel whose rows cross lines is read twice
    private readonly GemmTile tile = GemmTile.Best;
    private readonly GemmGrid grid;
    private readonly GemmRows x;
    private readonly Tensor y;
    private readonly Tensor? bias;
    private readonly TileEpilogue? epilogue;
    private readonly PanelPacker panelPacker;
    private readonly Packer? biasPacker;
    private readonly float* packedWeights; // all panels of a block of channels, then those of the next; or null

    /// <summary>Binds the operands.</summary>
    /// <param name="call">Device and result.</param>
    /// <param name="x">Left operand.</param>
    /// <param name="w">Weights, as <see cref="PanelPacker"/> takes them.</param>
    /// <param name="bias">One value per result column, or null.</param>
    /// <param name="epilogue">Applied to each tile once its sums are complete; null for none.</param>
    /// <param name="scale">Factor of each column of weights, which packing applies; null for none.</param>
    public GemmLaunch(OpCall call, GemmRows x, Tensor w, Tensor? bias, TileEpilogue? epilogue = null, Tensor? scale = null) : base(call)
    {
        (this.x, this.bias, this.epilogue, y) = (x, bias, epilogue, call.Output);
        panelPacker = new PanelPacker(w, tile.Columns, x.KernelPositions, scale);
        biasPacker = bias is null ? null : Packer.For(bias.DType);
        grid = new GemmGrid(x.Count, y.Width, x.Channels, x.KernelPositions, tile, Workers.Count, call.Settings);
        if (call.Packed is { } kept)
        {
            var layout = new GemmPanels(tile.Columns, grid.ChannelsPerBlock);
            packedWeights = (float*)((HostBuffer)kept.Get(w, layout, PackedBytes, PackAll)).Address;
        }


        Workers.Reserve((PanelElements + TileElements + tile.Rows * tile.Columns + grid.Parts.Columns) * sizeof(float));
    }

    private nint Depth => (nint)grid.ChannelsPerBlock * x.KernelPositions;

    private nint PanelElements => packedWeights is null ? grid.Parts.Columns * Depth : 0;

    private nint TileElements => IntegerMath.RoundUp(tile.Rows * Depth, Alignment);

    private int Panels => IntegerMath.CeilDiv(y.Width, tile.Columns);

    private long PackedBytes => (long)Panels * tile.Columns * x.Channels * x.KernelPositions * sizeof(float);

    public override void Run()
    {
        if (x.Count > 0) Parallel(grid.Parts.Count);
    }

    [SkipLocalsInit]
    public override void Execute(int part, int worker)
    {
        int firstRow = part / grid.Parts.ColumnBlocks * grid.Parts.Rows, lastRow = Math.Min(firstRow + grid.Parts.Rows, x.Count);
        int firstColumn = part % grid.Parts.ColumnBlocks * grid.Parts.Columns,
            lastColumn = Math.Min(firstColumn + grid.Parts.Columns, y.Width);
        float* scratch = Workers.Scratch<float>(worker), gathered = scratch + PanelElements, edge = gathered + TileElements;
        float* biases = Biases(firstColumn, lastColumn, edge + tile.Rows * tile.Columns);
        for (int channel = 0; channel < x.Channels; channel += grid.ChannelsPerBlock)
        {
            int channels = Math.Min(grid.ChannelsPerBlock, x.Channels - channel);
            float* panels = packedWeights is null ? PackPanels(firstColumn, lastColumn, channel, channels, scratch)
                : PackedPanel(firstColumn, channel, channels);
            for (int row = firstRow; row < lastRow; row += tile.Rows)
            {
                int rows = Math.Min(tile.Rows, lastRow - row);
                // The tile kernel reads all of its rows: the last rows are gathered, so that it does not read past the matrix.
                bool inPlace = x.Start is not null && row + tile.Rows <= x.Count;
                if (!inPlace) x.Gather(row, tile.Rows, channel, channels, gathered);
                float* a = inPlace ? x.Start + row * x.Pitch + channel : gathered;
                MultiplyTiles(row, rows, firstColumn, lastColumn, channels, a, inPlace ? x.Pitch : (nint)channels * x.KernelPositions,
                    panels, channel > 0 ? null : biases, edge, channel);
            }
        }
    }

    private void PackAll(DeviceBuffer target)
    {
        float* panel = (float*)((HostBuffer)target).Address;
        for (int channel = 0; channel < x.Channels; channel += grid.ChannelsPerBlock)
        {
            int channels = Math.Min(grid.ChannelsPerBlock, x.Channels - channel);
            for (int column = 0; column < y.Width; column += tile.Columns, panel += (nint)channels * x.KernelPositions * tile.Columns)
                panelPacker.Pack(column, y.Width, channel, channels, panel);
        }
    }

    private float* PackedPanel(int column, int channel, int channels) =>
        packedWeights + ((nint)channel * Panels * tile.Columns + (nint)column * channels) * x.KernelPositions;

    private float* PackPanels(int column, int lastColumn, int channel, int channels, float* target)
    {
        float* panel = target;
        for (; column < lastColumn; column += tile.Columns, panel += (nint)channels * x.KernelPositions * tile.Columns)
            panelPacker.Pack(column, y.Width, channel, channels, panel);
        return target;
    }

    /// <summary>Multiplies one tile of rows with all panels.</summary>
    [MethodImpl(Jit.Kernel)]
    private void MultiplyTiles(int row, int rows, int column, int lastColumn, int channels, float* a, nint rowPitch, float* panels,
        float* bias, float* edge, int channel)
    {
        nint depth = (nint)channels * x.KernelPositions;
        bool accumulate = channel > 0, last = channel + channels == x.Channels;
        float* target = y.Pointer<float>() + (nint)row * y.RowPitch + column;
        for (; column < lastColumn; column += tile.Columns, panels += depth * tile.Columns, target += tile.Columns)
        {
            int columns = Math.Min(tile.Columns, y.Width - column);
            if (columns == tile.Columns) tile.Multiply(depth, a, rowPitch, 1, panels, target, y.RowPitch, rows, accumulate, bias);
            else
            {
                // The last, narrower panel goes through a buffer: the tile kernel writes whole rows and must not write beyond y's columns.
                tile.Multiply(depth, a, rowPitch, 1, panels, edge, tile.Columns, rows, false, bias);
                for (int i = 0; i < rows; i++)
                {
                    var result = new Span<float>(target + (nint)i * y.RowPitch, columns);
                    var sum = new ReadOnlySpan<float>(edge + i * tile.Columns, columns);
                    if (accumulate) System.Numerics.Tensors.TensorPrimitives.Add(result, sum, result);
                    else sum.CopyTo(result);
                }
            }

            if (last) epilogue?.Apply(row, rows, column, columns);
            if (bias is not null) bias += tile.Columns;
        }
    }

    private float* Biases(int column, int lastColumn, float* widened)
    {
        if (bias is null) return null;
        biasPacker!.Widen(bias.Pointer<byte>() + (nint)column * bias.DType.Size(), widened, lastColumn - column);
        return widened;
    }
}

/// <summary>Panels of columns, a block of channels after the other.</summary>
/// <param name="Columns">Columns of a panel.</param>
/// <param name="ChannelsPerBlock">Channels of a block.</param>
internal sealed record GemmPanels(int Columns, int ChannelsPerBlock) : PackedLayout;
