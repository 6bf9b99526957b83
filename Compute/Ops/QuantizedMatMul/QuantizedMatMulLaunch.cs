using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// The integer product on packed operands. Several int8 or int16 values share a 32-bit lane, so packing and tiles are those of the float
/// product. The inner dimension is not cut: a tile's sums stay in registers until they are scaled.
/// </summary>
internal sealed unsafe class QuantizedMatMulLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private readonly IntegerProduct product;
    private readonly Tensor x, y, w, scale;
    private readonly Tensor? bias;
    private readonly int lanes, rowsPerPart, columnsPerPart, columnParts, parts;
    private readonly TileEpilogue? epilogue;
    private readonly int* quantized, rowOffsets; // [rows][lanes], [rows]
    private readonly float* rowScales;
    private readonly Quantization quantization;

    public QuantizedMatMulLaunch(OpCall call, TileEpilogue? epilogue, IntegerProduct product) : base(call)
    {
        (this.epilogue, this.product) = (epilogue, product);
        (x, w, scale, bias, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Inputs.Length > 3 ? call.Inputs[3] : null, call.Output);
        lanes = product.Lanes(x.Width);
        quantized = call.Scratch!.Pointer<int>();
        rowOffsets = quantized + (nint)x.Rows * lanes;
        rowScales = (float*)(rowOffsets + x.Rows);
        quantization = new Quantization(call, this);
        int most = Math.Max(1, call.Settings[QuantizedMatMulCpu.PackedKib] * 1024 / (lanes * sizeof(int) * Tile.Rows)) * Tile.Rows;
        rowsPerPart = Math.Min(most, RoundUp(Math.Max(x.Rows, 1), Tile.Rows));
        int rowParts = (x.Rows + rowsPerPart - 1) / rowsPerPart;
        int wanted = Workers.Count == 1 ? 1 : (call.Settings[GemmTuning.PartsPerThread] * Workers.Count + Math.Max(rowParts, 1) - 1) / Math.Max(rowParts, 1);
        columnsPerPart = RoundUp(Math.Clamp((y.Width + wanted - 1) / wanted, 1, call.Settings[QuantizedMatMulCpu.PartColumns]), Tile.Columns);
        columnParts = (y.Width + columnsPerPart - 1) / columnsPerPart;
        parts = rowParts * columnParts;
        Workers.Reserve((PackedRowElements + PanelElements + Tile.Rows * Tile.Columns) * sizeof(int));
    }

    private GemmTile Tile => product.Tile;

    private nint PackedRowElements => (nint)rowsPerPart * lanes + 2 * Packer.Overrun;

    private nint PanelElements => (nint)lanes * Tile.Columns;

    public override void Run()
    {
        if (parts == 0) return;
        quantization.Run();
        Parallel(parts);
    }

    public override void Execute(int part, int worker)
    {
        int firstRow = part / columnParts * rowsPerPart, rows = Math.Min(rowsPerPart, x.Rows - firstRow);
        int firstColumn = part % columnParts * columnsPerPart, lastColumn = Math.Min(firstColumn + columnsPerPart, y.Width);
        float* packedX = Workers.Scratch<float>(worker), panel = packedX + PackedRowElements, sums = panel + PanelElements;
        PackRows(firstRow, rows, packedX);
        for (int column = firstColumn; column < lastColumn; column += Tile.Columns)
        {
            PackPanel(column, panel);
            for (int row = 0; row < rows; row += Tile.Rows)
            {
                int tileRows = Math.Min(Tile.Rows, rows - row);
                Tile.Multiply(lanes, packedX + (nint)row * lanes, panel, sums, Tile.Columns, tileRows, false, null);
                Finish(firstRow + row, tileRows, column, (int*)sums);
            }
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackRows(int firstRow, int rows, float* target)
    {
        int group = RoundUp(Tile.Rows, Packer.RowGroup);
        byte** addresses = stackalloc byte*[group];
        for (int row = 0; row < rows; row += Tile.Rows, target += (nint)lanes * Tile.Rows)
        {
            for (int i = 0; i < group; i++) addresses[i] = (byte*)(quantized + (nint)Math.Min(firstRow + row + i, x.Rows - 1) * lanes);
            Packer.Float32.Pack(addresses, group, 0, lanes, target, Tile.Rows);
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackPanel(int column, float* panel)
    {
        byte** addresses = stackalloc byte*[Tile.Columns];
        for (int i = 0; i < Tile.Columns; i++) addresses[i] = w.Pointer<byte>() + (nint)Math.Min(column + i, w.Rows - 1) * w.Width;
        int whole = w.Width / product.PerLane, rest = w.Width % product.PerLane;
        product.WeightPacker.Pack(addresses, Tile.Columns, 0, whole, panel, Tile.Columns);
        if (rest == 0) return;
        byte* last = stackalloc byte[sizeof(int)]; // a lane that the row does not fill ends with zeros
        for (int i = 0; i < Tile.Columns; i++)
        {
            new Span<byte>(last, sizeof(int)).Clear();
            new ReadOnlySpan<byte>(addresses[i] + whole * product.PerLane, rest).CopyTo(new Span<byte>(last, sizeof(int)));
            panel[whole * Tile.Columns + i] = product switch
            {
                { PerLane: 2 } => StoredInt8Pair.Read(last),
                { WeightOffset: 0 } => StoredFloat32.Read(last),
                _ => StoredUInt8Quad.Read(last),
            };
        }
    }

    /// <summary>Scales a tile's sums and writes them.</summary>
    [MethodImpl(Jit.Kernel)]
    private void Finish(int row, int rows, int column, int* sums)
    {
        float* scales = scale.Pointer<float>() + column, biases = bias is null ? null : bias.Pointer<float>() + column;
        int columns = Math.Min(Tile.Columns, y.Width - column), whole = columns / V.Count * V.Count;
        for (int r = 0; r < rows; r++, sums += Tile.Columns)
        {
            float* target = y.Pointer<float>() + (nint)(row + r) * y.RowPitch + column;
            float rowScale = rowScales[row + r];
            int offset = rowOffsets[row + r];
            V factor = V.Create(rowScale);
            for (int i = 0; i < whole; i += V.Count)
            {
                V scaled = Widening.Int32<V>(sums + i, offset) * factor * V.Load(scales + i);
                V.Store(biases is null ? scaled : scaled + V.Load(biases + i), target + i);
            }

            for (int i = whole; i < columns; i++) target[i] = (sums[i] - offset) * rowScale * scales[i] + (biases is null ? 0 : biases[i]);
        }

        epilogue?.Apply(row, rows, column, columns);
    }

    private static int RoundUp(int size, int multiple) => (size + multiple - 1) / multiple * multiple;

    /// <summary>Quantises the rows of x, each to whole lanes.</summary>
    private sealed class Quantization(OpCall call, QuantizedMatMulLaunch<V> owner) : RowLaunch(call, call.Inputs[0].Rows, call.Inputs[0].Width)
    {
        protected override void Row(int row)
        {
            float* source = owner.x.Pointer<float>() + (nint)row * owner.x.RowPitch;
            float scale = owner.rowScales[row] = RowQuantizer<V>.Scale(source, owner.x.Width);
            int* target = owner.quantized + (nint)row * owner.lanes;
            target[owner.lanes - 1] = 0; // what fills the last lane meets weights of 0
            int sum = 0;
            if (owner.product.PerLane == 4) sum = (int)RowQuantizer<V>.ToInt8(source, owner.x.Width, scale, (byte*)target);
            else RowQuantizer<V>.ToInt16(source, owner.x.Width, scale, (ushort*)target);
            owner.rowOffsets[row] = owner.product.WeightOffset * sum; // may leave int32's range, as the sums then do: the difference is right
        }
    }
}
