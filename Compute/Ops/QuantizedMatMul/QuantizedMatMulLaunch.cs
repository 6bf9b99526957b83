using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// The integer product on packed operands. Several int8 or int16 values share a 32-bit lane, so packing and tiles are those of the float
/// product. The inner dimension is not cut: a tile's sums stay in registers until they are scaled.
/// </summary>
internal sealed unsafe class QuantizedMatMulLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private const int PackedRowBytes = 384 * 1024; // of one part: they stay in the L2 cache
    private const int MostColumns = 1024;
    private const int PartsPerThread = 4;
    private readonly IntegerProduct product = IntegerProduct.Best;
    private readonly Tensor x, y, w, scale;
    private readonly Tensor? bias;
    private readonly int lanes, rowsPerPart, columnsPerPart, columnParts, parts;
    private readonly int* quantized; // [rows][lanes]
    private readonly float* rowScales;
    private readonly Quantization quantization;

    public QuantizedMatMulLaunch(OpCall call) : base(call)
    {
        (x, w, scale, bias, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Inputs.Length > 3 ? call.Inputs[3] : null, call.Output);
        lanes = QuantizedMatMulCpu.Lanes(x.Width);
        quantized = call.Scratch!.Pointer<int>();
        rowScales = (float*)(quantized + (nint)x.Rows * lanes);
        quantization = new Quantization(call, this);
        int most = Math.Max(1, PackedRowBytes / (lanes * sizeof(int) * Tile.Rows)) * Tile.Rows;
        rowsPerPart = Math.Min(most, RoundUp(Math.Max(x.Rows, 1), Tile.Rows));
        int rowParts = (x.Rows + rowsPerPart - 1) / rowsPerPart;
        int wanted = Workers.Count == 1 ? 1 : (PartsPerThread * Workers.Count + Math.Max(rowParts, 1) - 1) / Math.Max(rowParts, 1);
        columnsPerPart = RoundUp(Math.Clamp((y.Width + wanted - 1) / wanted, 1, MostColumns), Tile.Columns);
        columnParts = (y.Width + columnsPerPart - 1) / columnsPerPart;
        parts = rowParts * columnParts;
        Workers.Reserve((PackedRowElements + PanelElements + OnesElements + 2 * Tile.Columns + Tile.Rows * Tile.Columns) * sizeof(int));
    }

    private GemmTile Tile => product.Tile;

    private nint PackedRowElements => (nint)rowsPerPart * lanes + 2 * Packer.Overrun;

    private nint PanelElements => (nint)lanes * Tile.Columns;

    private nint OnesElements => product.Unsigned ? (nint)lanes * Tile.Rows : 0;

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
        float* packedX = Workers.Scratch<float>(worker), panel = packedX + PackedRowElements, ones = panel + PanelElements;
        float* offsets = ones + OnesElements, sums = offsets + Tile.Columns;
        PackRows(firstRow, rows, packedX);
        new Span<byte>(ones, (int)OnesElements * sizeof(int)).Fill(1);
        for (int column = firstColumn; column < lastColumn; column += Tile.Columns)
        {
            PackPanel(column, panel);
            if (product.Unsigned) SumWeights(ones, panel, offsets);
            for (int row = 0; row < rows; row += Tile.Rows)
            {
                int tileRows = Math.Min(Tile.Rows, rows - row);
                Tile.Multiply(lanes, packedX + (nint)row * lanes, panel, sums, Tile.Columns, tileRows, false, product.Unsigned ? offsets : null);
                for (int i = 0; i < tileRows; i++) Finish(firstRow + row + i, column, (int*)sums + i * Tile.Columns);
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
            panel[whole * Tile.Columns + i] = product.Unsigned ? StoredFloat32.Read(last) : StoredInt8Pair.Read(last);
        }
    }

    /// <summary>−128 · the sum of each column's weights: what unsigned activations add too much. The sum is a product with ones.</summary>
    [MethodImpl(Jit.Kernel)]
    private void SumWeights(float* ones, float* panel, float* offsets)
    {
        Tile.Multiply(lanes, ones, panel, offsets, Tile.Columns, 1, false, null);
        int* sums = (int*)offsets;
        for (int i = 0; i < Tile.Columns; i += 4) (Vector128.Load(sums + i) * -128).Store(sums + i);
    }

    [MethodImpl(Jit.Kernel)]
    private void Finish(int row, int column, int* sums)
    {
        float* target = y.Pointer<float>() + (nint)row * y.RowPitch + column, scales = scale.Pointer<float>() + column;
        float* biases = bias is null ? null : bias.Pointer<float>() + column;
        float rowScale = rowScales[row];
        int columns = Math.Min(Tile.Columns, y.Width - column), i = 0;
        for (; i <= columns - 4; i += 4)
        {
            var scaled = Vector128.ConvertToSingle(Vector128.Load(sums + i)) * rowScale * Vector128.Load(scales + i);
            (biases is null ? scaled : scaled + Vector128.Load(biases + i)).Store(target + i);
        }

        for (; i < columns; i++) target[i] = sums[i] * rowScale * scales[i] + (biases is null ? 0 : biases[i]);
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
            if (owner.product.Unsigned) RowQuantizer<V>.ToInt8(source, owner.x.Width, scale, (byte*)target, 0x80);
            else RowQuantizer<V>.ToInt16(source, owner.x.Width, scale, (ushort*)target);
        }
    }
}
