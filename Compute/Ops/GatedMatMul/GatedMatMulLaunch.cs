using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// y = h · gelu(g), computed like <see cref="GemmLaunch"/>, but a tile of h and the matching tile of g are computed one after the other
/// into a small buffer, from which only the gated result is written. K is cut into the same blocks, so that the bits are those of GEMM and
/// gate run separately.
/// </summary>
internal sealed unsafe class GatedMatMulLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private readonly GemmTile tile = GemmTile.Best;
    private readonly GemmRows x;
    private readonly Tensor y;
    private readonly Tensor? bias;
    private readonly PanelPacker panelPacker;
    private readonly GemmPartition parts;
    private readonly int depth, block;
    private readonly float* packedWeights; // pairs of panels, value and gate; or null

    public GatedMatMulLaunch(OpCall call) : base(call)
    {
        Tensor w = call.Inputs[1];
        (x, y, bias) = (new TensorRows(call.Inputs[0]), call.Output, call.Inputs.Length > 2 ? call.Inputs[2] : null);
        panelPacker = new PanelPacker(w, tile.Columns, positions: 1);
        depth = x.Channels;
        block = new GemmGrid(x.Count, 2 * y.Width, depth, positions: 1, tile, Workers.Count, call.Settings).ChannelsPerBlock;
        parts = new GemmPartition(x.Count, y.Width, tile.Rows, tile.Columns, call.Settings[GemmTuning.PartRows],
            call.Settings[GemmTuning.PackedKib] * (1024L / sizeof(float)) / (2 * depth), Workers.Count,
                call.Settings[GemmTuning.PartsPerThread], rowsFirst: false);
        if (call.Packed is { } kept)
        {
            long bytes = 2 * Panels(y.Width) * PanelElements * sizeof(float);
            packedWeights = (float*)((HostBuffer)kept.Get(w, new GatedPanels(tile.Columns), bytes, PackAll)).Address;
        }

        Workers.Reserve((PartPanelElements + 2 * TileElements + 2 * parts.Columns + (nint)tile.Rows * depth) * sizeof(float));
    }

    private nint PanelElements => (nint)depth * tile.Columns;

    private nint PartPanelElements => packedWeights is null ? 2 * Panels(parts.Columns) * PanelElements : 0;

    private int TileElements => tile.Rows * tile.Columns;

    public override void Run()
    {
        if (x.Count > 0) Parallel(parts.Count);
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public override void Execute(int part, int worker)
    {
        int firstRow = part / parts.ColumnBlocks * parts.Rows, lastRow = Math.Min(firstRow + parts.Rows, x.Count);
        int firstColumn = part % parts.ColumnBlocks * parts.Columns, lastColumn = Math.Min(firstColumn + parts.Columns, y.Width);
        float* panels = Workers.Scratch<float>(worker), hidden = panels + PartPanelElements, gates = hidden + TileElements,
            biases = gates + TileElements;
        float* gathered = biases + 2 * parts.Columns;
        if (packedWeights is null) PackPairs(firstColumn, lastColumn, panels);
        else panels = packedWeights + firstColumn * 2 * (nint)depth;
        if (bias is not null) WidenBiases(firstColumn, lastColumn, biases);
        for (int row = firstRow; row < lastRow; row += tile.Rows)
        {
            int rows = Math.Min(tile.Rows, lastRow - row);
            // The tile kernel reads all of its rows: the last rows are gathered, so that it does not read past the matrix.
            bool inPlace = row + tile.Rows <= x.Count;
            if (!inPlace) x.Gather(row, tile.Rows, 0, depth, gathered);
            float* a = inPlace ? x.Start + row * x.Pitch : gathered, panel = panels;
            nint rowPitch = inPlace ? x.Pitch : depth;
            for (int column = firstColumn; column < lastColumn; column += tile.Columns, panel += 2 * PanelElements)
            {
                float* hiddenBias = bias is null ? null : biases + (column - firstColumn),
                    gateBias = bias is null ? null : hiddenBias + parts.Columns;
                for (int k = 0; k < depth; k += block)
                {
                    int length = Math.Min(block, depth - k);
                    nint offset = (nint)k * tile.Columns;
                    tile.Multiply(length, a + k, rowPitch, 1, panel + offset, hidden, tile.Columns, rows, k > 0, k > 0 ? null : hiddenBias);
                    tile.Multiply(length, a + k, rowPitch, 1, panel + PanelElements + offset, gates, tile.Columns, rows, k > 0,
                        k > 0 ? null : gateBias);
                }

                int columns = Math.Min(tile.Columns, lastColumn - column);
                float* target = y.Pointer<float>() + (nint)row * y.RowPitch + column;
                for (int i = 0; i < rows; i++)
                    GeGluCpu.Gate<V>(hidden + i * tile.Columns, gates + i * tile.Columns, target + i * (nint)y.RowPitch, columns);
            }
        }
    }

    private int Panels(int columns) => IntegerMath.CeilDiv(columns, tile.Columns);

    private void PackAll(DeviceBuffer target) => PackPairs(0, y.Width, (float*)((HostBuffer)target).Address);

    private void PackPairs(int column, int lastColumn, float* target)
    {
        for (; column < lastColumn; column += tile.Columns, target += 2 * PanelElements)
        {
            panelPacker.Pack(column, y.Width, 0, depth, target);
            panelPacker.Pack(y.Width + column, 2 * y.Width, 0, depth, target + PanelElements);
        }
    }

    private void WidenBiases(int column, int lastColumn, float* target)
    {
        var packer = Packer.For(bias!.DType);
        packer.Widen(bias.Pointer<byte>() + (nint)column * bias.DType.Size(), target, lastColumn - column);
        packer.Widen(bias.Pointer<byte>() + (nint)(y.Width + column) * bias.DType.Size(), target + parts.Columns, lastColumn - column);
    }
}

/// <summary>Pairs of panels: columns of one half of the weight, then those of the other that gate them.</summary>
/// <param name="Columns">Columns of a panel.</param>
internal sealed record GatedPanels(int Columns) : PackedLayout;
