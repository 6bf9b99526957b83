using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// y = x·wᵀ + bias on packed operands. A part packs its rows once per block of the inner dimension (they stay in the L2 cache), then
/// packs one panel of weights after the other and multiplies it with all its rows. Weights are read as they are stored, so a memory-mapped
/// file is never copied as a whole; where the call keeps packed weights, all panels are packed once, when the launch is bound.
/// </summary>
internal sealed unsafe class GemmLaunch : CpuLaunch
{
    private readonly GemmTile tile = GemmTile.Best;
    private readonly GemmGrid grid;
    private readonly GemmRows x;
    private readonly Tensor y;
    private readonly Tensor? bias;
    private readonly TileEpilogue? epilogue;
    private readonly Packer weightPacker;
    private readonly Packer? biasPacker;
    private readonly byte* weights;
    private readonly nint weightRowBytes;
    private readonly float* packedWeights; // all panels of a block of channels, then those of the next; or null
    private readonly int packedRows; // one tile's rows, rounded up to the packer's groups

    /// <summary>Binds the operands.</summary>
    /// <param name="call">Device and result.</param>
    /// <param name="x">Left operand.</param>
    /// <param name="w">Weights: a row of channels · taps elements per result column, the taps of a channel side by side.</param>
    /// <param name="bias">One value per result column, or null.</param>
    /// <param name="epilogue">What is done to each tile once its sums are complete, or null.</param>
    public GemmLaunch(OpCall call, GemmRows x, Tensor w, Tensor? bias, TileEpilogue? epilogue = null) : base(call)
    {
        (this.x, this.bias, this.epilogue, y) = (x, bias, epilogue, call.Output);
        weightPacker = Packer.For(w.DType);
        biasPacker = bias is null ? null : Packer.For(bias.DType);
        weights = w.Pointer<byte>();
        weightRowBytes = (nint)x.Channels * x.Taps * w.DType.Size();
        packedRows = (tile.Rows + Packer.RowGroup - 1) / Packer.RowGroup * Packer.RowGroup;
        grid = new GemmGrid(x.Count, y.Width, x.Channels, x.Taps, tile, Workers.Count, call.Settings);
        if (call.Packed is { } kept) packedWeights = (float*)((HostBuffer)kept.Get(w, $"{tile.Columns} columns, {grid.ChannelsPerBlock} channels", PackedBytes, PackAll)).Address;
        Workers.Reserve((RowElements + PanelElements + tile.Columns + tile.Rows * tile.Columns) * sizeof(float));
    }

    private nint Depth => (nint)grid.ChannelsPerBlock * x.Taps;

    private nint RowElements => grid.RowsPerPart * Depth + 2 * Packer.Overrun;

    private nint PanelElements => tile.Columns * Depth;

    private int Panels => (y.Width + tile.Columns - 1) / tile.Columns;

    private long PackedBytes => (long)Panels * tile.Columns * x.Channels * x.Taps * sizeof(float);

    public override void Run()
    {
        if (x.Count > 0) Parallel(grid.RowParts * grid.ColumnParts);
    }

    [SkipLocalsInit]
    public override void Execute(int part, int worker)
    {
        int firstRow = part / grid.ColumnParts * grid.RowsPerPart, rows = Math.Min(grid.RowsPerPart, x.Count - firstRow);
        int firstColumn = part % grid.ColumnParts * grid.ColumnsPerPart, lastColumn = Math.Min(firstColumn + grid.ColumnsPerPart, y.Width);
        float* packedX = Workers.Scratch<float>(worker), panel = packedX + RowElements;
        for (int channel = 0; channel < x.Channels; channel += grid.ChannelsPerBlock)
        {
            int channels = Math.Min(grid.ChannelsPerBlock, x.Channels - channel);
            PackRows(firstRow, rows, channel, channels, packedX);
            for (int column = firstColumn; column < lastColumn; column += tile.Columns)
            {
                float* b = packedWeights is null ? panel : PackedPanel(column, channel, channels);
                if (packedWeights is null) PackPanel(column, channel, channels, panel);
                MultiplyPanel(firstRow, rows, column, channels * x.Taps, channel > 0, packedX, b, panel + PanelElements, channel + channels == x.Channels ? epilogue : null);
            }
        }
    }

    private void PackAll(DeviceBuffer target)
    {
        float* panel = (float*)((HostBuffer)target).Address;
        for (int channel = 0; channel < x.Channels; channel += grid.ChannelsPerBlock)
        {
            int channels = Math.Min(grid.ChannelsPerBlock, x.Channels - channel);
            for (int column = 0; column < y.Width; column += tile.Columns, panel += (nint)channels * x.Taps * tile.Columns) PackPanel(column, channel, channels, panel);
        }
    }

    private float* PackedPanel(int column, int channel, int channels) =>
        packedWeights + ((nint)channel * Panels * tile.Columns + (nint)column * channels) * x.Taps;

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackRows(int firstRow, int rows, int channel, int channels, float* target)
    {
        byte** addresses = stackalloc byte*[packedRows];
        for (int row = 0; row < rows; row += tile.Rows)
        {
            for (int tap = 0; tap < x.Taps; tap++, target += (nint)channels * tile.Rows)
            {
                x.Find(tap, firstRow + row, packedRows, addresses);
                Packer.Float32.Pack(addresses, packedRows, channel, channels, target, tile.Rows);
            }
        }
    }

    /// <summary>Packs the weights of one tile's columns. Columns past the last repeat it: their results go nowhere.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackPanel(int column, int channel, int channels, float* panel)
    {
        byte** addresses = stackalloc byte*[tile.Columns];
        for (int i = 0; i < tile.Columns; i++) addresses[i] = weights + Math.Min(column + i, y.Width - 1) * weightRowBytes;
        if (x.Taps == 1) weightPacker.Pack(addresses, tile.Columns, channel, channels, panel, tile.Columns);
        else weightPacker.PackTaps(addresses, tile.Columns, channel, channels, x.Taps, panel, tile.Columns);
    }

    [MethodImpl(Jit.Kernel)]
    private void MultiplyPanel(int firstRow, int rows, int column, nint depth, bool accumulate, float* packedX, float* panel, float* work, TileEpilogue? last)
    {
        int columns = Math.Min(tile.Columns, y.Width - column);
        float* bias = accumulate ? null : Bias(column, columns, work), edge = work + tile.Columns;
        float* target = y.Pointer<float>() + (nint)firstRow * y.RowPitch + column;
        for (int row = 0; row < rows; row += tile.Rows, packedX += depth * tile.Rows, target += (nint)tile.Rows * y.RowPitch)
        {
            int tileRows = Math.Min(tile.Rows, rows - row);
            if (columns == tile.Columns)
            {
                tile.Multiply(depth, packedX, panel, target, y.RowPitch, tileRows, accumulate, bias);
                last?.Apply(firstRow + row, tileRows, column, columns);
                continue;
            }

            // The last, narrower panel goes through a buffer: the tile writes whole rows and must not touch what lies beside y.
            tile.Multiply(depth, packedX, panel, edge, tile.Columns, tileRows, false, bias);
            for (int i = 0; i < tileRows; i++)
            {
                var result = new Span<float>(target + (nint)i * y.RowPitch, columns);
                var sum = new ReadOnlySpan<float>(edge + i * tile.Columns, columns);
                if (accumulate) System.Numerics.Tensors.TensorPrimitives.Add(result, sum, result);
                else sum.CopyTo(result);
            }

            last?.Apply(firstRow + row, tileRows, column, columns);
        }
    }

    private float* Bias(int column, int columns, float* widened)
    {
        if (bias is null) return null;
        biasPacker!.Widen(bias.Pointer<byte>() + (nint)column * bias.DType.Size(), widened, columns);
        new Span<float>(widened + columns, tile.Columns - columns).Clear();
        return widened;
    }
}
