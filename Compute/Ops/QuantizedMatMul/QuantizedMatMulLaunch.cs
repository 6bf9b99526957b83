using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The integer GEMM: rows are quantised into scratch memory, and tiles of them, read in place, are multiplied with packed panels of
/// weights. Several int8 or int16 values share a 32-bit lane, so packing is that of the float GEMM. K is not cut: a tile's sums stay in
/// registers until they are scaled.
/// </summary>
internal sealed unsafe class QuantizedMatMulLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private readonly Int8Gemm gemm;
    private readonly IntegerTile tile;
    private readonly Tensor x, y, w, scale;
    private readonly Tensor? bias;
    private readonly int lanes, tileRows, tileColumns;
    private readonly GemmPartition parts;
    private readonly TileEpilogue? epilogue;
    private readonly int* quantized, rowOffsets; // [rows, plus those that a tile may read past them][lanes], [rows]
    private readonly float* rowScales;
    private readonly Quantization? quantization;

    /// <summary>Binds the operands.</summary>
    /// <param name="call">The call.</param>
    /// <param name="epilogue">Applied to each tile; null for none.</param>
    /// <param name="gemm">How int8 is multiplied.</param>
    /// <param name="quantizes">Whether rows are quantised first; otherwise an earlier launch with the same x and scratch memory has done
    /// so.</param>
    public QuantizedMatMulLaunch(OpCall call, TileEpilogue? epilogue, Int8Gemm gemm, bool quantizes = true) : base(call)
    {
        (this.epilogue, this.gemm, tile) = (epilogue, gemm, gemm.Tile);
        (tileRows, tileColumns) = (tile.Rows, tile.Columns);
        (x, w, scale, bias, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Inputs.Length > 3 ? call.Inputs[3] : null,
            call.Output);
        lanes = gemm.Lanes(x.Width);
        quantized = call.Scratch!.Pointer<int>();
        rowOffsets = quantized + (nint)(x.Rows + tileRows) * lanes;
        rowScales = (float*)(rowOffsets + x.Rows);
        quantization = quantizes ? new Quantization(call, this) : null;
        parts = new GemmPartition(x.Rows, y.Width, tileRows, tileColumns, call.Settings[GemmTuning.PartRows],
            call.Settings[QuantizedMatMulCpu.PackedKib] * 1024L / sizeof(int) / lanes, Workers.Count,
                call.Settings[GemmTuning.PartsPerThread], rowsFirst: true);
        Workers.Reserve((PanelElements + 2 * parts.Columns + tileRows * tileColumns) * sizeof(int));
    }

    private nint PanelElements => (nint)lanes * parts.Columns;

    public override void Run()
    {
        if (x.Rows == 0) return;
        quantization?.Run();
        Parallel(parts.Count);
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public override void Execute(int part, int worker)
    {
        int firstRow = part / parts.ColumnBlocks * parts.Rows, lastRow = Math.Min(firstRow + parts.Rows, x.Rows);
        int firstColumn = part % parts.ColumnBlocks * parts.Columns, lastColumn = Math.Min(firstColumn + parts.Columns, y.Width);
        int* panels = Workers.Scratch<int>(worker);
        float* scales = (float*)(panels + PanelElements), biases = bias is null ? null : scales + parts.Columns,
            edge = scales + 2 * parts.Columns;
        new ReadOnlySpan<float>(scale.Pointer<float>() + firstColumn,
            lastColumn - firstColumn).CopyTo(new Span<float>(scales, parts.Columns));
        if (bias is not null)
            new ReadOnlySpan<float>(bias.Pointer<float>() + firstColumn,
                lastColumn - firstColumn).CopyTo(new Span<float>(biases, parts.Columns));
        for (int column = firstColumn; column < lastColumn; column += tileColumns)
            PackPanel(column, (float*)panels + (column - firstColumn) * (nint)lanes);
        for (int row = firstRow; row < lastRow; row += tileRows)
        {
            int rows = Math.Min(tileRows, lastRow - row);
            float* target = y.Pointer<float>() + (nint)row * y.RowPitch;
            for (int column = firstColumn; column < lastColumn; column += tileColumns)
            {
                int i = column - firstColumn, columns = Math.Min(tileColumns, lastColumn - column);
                bool whole = columns == tileColumns; // the last, narrower panel goes through a buffer: the tile kernel writes whole rows
                var result = new ScaledTile(whole ? target + column : edge, whole ? y.RowPitch : tileColumns, rowOffsets + row,
                    rowScales + row, scales + i, biases is null ? null : biases + i);
                tile.Multiply(lanes, quantized + (nint)row * lanes, lanes, panels + i * (nint)lanes, rows, result);
                for (int r = 0; r < rows && !whole; r++)
                    new ReadOnlySpan<float>(edge + r * tileColumns,
                        columns).CopyTo(new Span<float>(target + (nint)r * y.RowPitch + column, columns));
                epilogue?.Apply(row, rows, column, columns);
            }
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackPanel(int column, float* panel)
    {
        byte** addresses = stackalloc byte*[tileColumns];
        for (int i = 0; i < tileColumns; i++) addresses[i] = w.Pointer<byte>() + (nint)Math.Min(column + i, w.Rows - 1) * w.Width;
        int whole = w.Width / gemm.PerLane, rest = w.Width % gemm.PerLane;
        gemm.WeightPacker.Pack(addresses, tileColumns, 0, whole, panel, tileColumns);
        if (rest == 0) return;
        byte* last = stackalloc byte[sizeof(int)]; // a partly filled last lane is zero-padded
        for (int i = 0; i < tileColumns; i++)
        {
            new Span<byte>(last, sizeof(int)).Clear();
            new ReadOnlySpan<byte>(addresses[i] + whole * gemm.PerLane, rest).CopyTo(new Span<byte>(last, sizeof(int)));
            panel[whole * tileColumns + i] = gemm switch
            {
                { PerLane: 2 } => StoredInt8Pair.Read(last),
                { WeightOffset: 0 } => StoredFloat32.Read(last),
                _ => StoredUInt8Quad.Read(last),
            };
        }
    }

    /// <summary>Quantises the rows of x, each to whole lanes.</summary>
    private sealed class Quantization(OpCall call, QuantizedMatMulLaunch<V> owner)
        : RowLaunch(call, call.Inputs[0].Rows, call.Inputs[0].Width)
    {
        protected override void Row(int row)
        {
            float* source = owner.x.Pointer<float>() + (nint)row * owner.x.RowPitch;
            float scale = owner.rowScales[row] = RowQuantizer<V>.Scale(source, owner.x.Width);
            int* target = owner.quantized + (nint)row * owner.lanes;
            target[owner.lanes - 1] = 0; // the padding of the last lane is multiplied by weights of 0
            int sum = 0;
            if (owner.gemm.PerLane == 4) sum = (int)RowQuantizer<V>.ToInt8(source, owner.x.Width, scale, (byte*)target);
            else RowQuantizer<V>.ToInt16(source, owner.x.Width, scale, (ushort*)target);
            // may overflow int32, as the sums then do; the difference is correct modulo 2³²
            owner.rowOffsets[row] = owner.gemm.WeightOffset * sum;
        }
    }
}
