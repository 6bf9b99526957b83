using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// A convolution with stride 1 in two steps. First a GEMM z = x·Wᵀ of pixels with the weights of all kernel positions,
/// [pixels, positions · outputs]; then each result sums its kernel positions' values of z from the surrounding pixels. A part is a band of
/// lines, whose z stays in the cache; lines that two bands need are computed twice.
/// </summary>
internal sealed unsafe class FewOutputsLaunch : CpuLaunch
{
    private const int PartsPerThread = 2, LeastLines = 8;
    private const int MostSums = 1 << 20; // of a band: 4 MiB, read once
    private const int Lanes = 4;
    private readonly GemmTile tile = GemmTile.Best;
    private readonly Tensor x, w, y;
    private readonly TensorRows rows; // of x: pixels
    private readonly Tensor? bias;
    private readonly TileEpilogue? epilogue;
    private readonly float* panels; // [columns / tile.Columns][channels][tile.Columns]
    private readonly int channels, outputs, kernelHeight, kernelWidth, padding, pitch, linesPerPart, bands;
    private bool packing;

    /// <summary>Binds the arguments.</summary>
    /// <param name="call">Image, weights and perhaps bias; result; scratch for the packed weights.</param>
    /// <param name="padding">Rows and columns of zeros before the image.</param>
    /// <param name="epilogue">Applied to each completed line, or null.</param>
    public FewOutputsLaunch(OpCall call, int padding, TileEpilogue? epilogue) : base(call)
    {
        rows = new TensorRows(call.Inputs[0]);
        (x, w, bias, y) = (call.Inputs[0], call.Inputs[1], call.Inputs.Length > 2 ? call.Inputs[2] : null, call.Output);
        (this.padding, this.epilogue) = (padding, epilogue);
        panels = call.Scratch!.Pointer<float>();
        (outputs, channels, kernelHeight, kernelWidth) = (w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]);
        pitch = Pitch(w.Shape);
        int height = Math.Max(1, y.Shape[1]), most = MostSums / (Math.Max(1, x.Shape[2]) * pitch) - kernelHeight;
        linesPerPart = Math.Clamp(most, Math.Min(LeastLines, height), height);
        while (Workers.Count > 1 && y.Shape[0] * IntegerMath.CeilDiv(height, linesPerPart) < PartsPerThread * Workers.Count
            && linesPerPart >= 2 * LeastLines)
            linesPerPart = IntegerMath.CeilDiv(linesPerPart, 2);
        bands = IntegerMath.CeilDiv(height, linesPerPart);
        Workers.Reserve((TileElements + SumElements + pitch + outputs + Lanes + (nint)channels * KernelPositions) * sizeof(float));
    }

    private int KernelPositions => kernelHeight * kernelWidth;

    private nint TileElements => (nint)tile.Rows * channels;

    // the last register read may extend past the sums
    private nint SumElements => (nint)(linesPerPart + kernelHeight - 1) * x.Shape[2] * pitch + Lanes;

    /// <summary>Columns of z: positions · outputs, rounded up to whole tiles.</summary>
    public static int Pitch(Shape weight) =>
        IntegerMath.CeilDiv(weight[0] * weight[2] * weight[3], GemmTile.Best.Columns) * GemmTile.Best.Columns;

    public override void Run()
    {
        if (y.Rows == 0) return;
        packing = true;
        Parallel(outputs);
        packing = false;
        Parallel(y.Shape[0] * bands);
    }

    public override void Execute(int part, int worker)
    {
        float* scratch = Workers.Scratch<float>(worker);
        if (packing) PackWeights(part, scratch);
        else Band(part / bands, part % bands * linesPerPart, scratch);
    }

    /// <summary>
    /// Packs one result channel's weights into its columns for all kernel positions; the first one also clears the padding columns.
    /// </summary>
    [MethodImpl(Jit.Kernel)]
    private void PackWeights(int output, float* row)
    {
        Packer.For(w.DType).Widen(w.Pointer<byte>() + (nint)output * channels * KernelPositions * w.DType.Size(), row,
            channels * KernelPositions);
        for (int position = 0; position < KernelPositions; position++)
        {
            float* column = Column(position * outputs + output);
            for (int channel = 0; channel < channels; channel++)
                column[(nint)channel * tile.Columns] = row[channel * KernelPositions + position];
        }

        for (int unused = output == 0 ? outputs * KernelPositions : pitch; unused < pitch; unused++)
        {
            float* column = Column(unused);
            for (int channel = 0; channel < channels; channel++) column[(nint)channel * tile.Columns] = 0;
        }
    }

    private float* Column(int index) => panels + (nint)(index / tile.Columns) * channels * tile.Columns + index % tile.Columns;

    private void Band(int n, int firstLine, float* scratch)
    {
        float* gathered = scratch, sums = gathered + TileElements, zeros = sums + SumElements, biases = zeros + pitch;
        new Span<float>(zeros, pitch + outputs + Lanes).Clear();
        if (bias is not null) Packer.For(bias.DType).Widen(bias.Pointer<byte>(), biases, outputs);
        int lastLine = Math.Min(firstLine + linesPerPart, y.Shape[1]), height = x.Shape[1], width = x.Shape[2];
        int top = Math.Clamp(firstLine - padding, 0, height), bottom = Math.Clamp(lastLine - padding + kernelHeight - 1, top, height);
        Multiply((n * height + top) * width, (bottom - top) * width, gathered, sums);
        for (int line = firstLine; line < lastLine; line++)
        {
            int row = (n * y.Shape[1] + line) * y.Shape[2];
            Gather(line - padding, top, bottom, sums, zeros, biases, y.Pointer<float>() + (nint)row * y.RowPitch);
            epilogue?.Apply(row, y.Shape[2], 0, outputs);
        }
    }

    /// <summary>Multiplies consecutive pixels with the weights of all kernel positions.</summary>
    [MethodImpl(Jit.Kernel)]
    private void Multiply(int first, int count, float* gathered, float* sums)
    {
        for (int row = first; row < first + count; row += tile.Rows, sums += (nint)tile.Rows * pitch)
        {
            // The tile kernel reads all of its rows: the image's last ones are gathered, so that it does not read past the image.
            bool inPlace = row + tile.Rows <= rows.Count;
            if (!inPlace) rows.Gather(row, tile.Rows, 0, channels, gathered);
            float* a = inPlace ? rows.Start + row * rows.Pitch : gathered;
            for (int column = 0; column < pitch; column += tile.Columns)
                tile.Multiply(channels, a, inPlace ? rows.Pitch : channels, 1, panels + (nint)column * channels, sums + column, pitch,
                    Math.Min(tile.Rows, first + count - row), false, null);
        }
    }

    /// <summary>One line of results: four channels per register, kernel positions in ascending order, then the bias.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void Gather(int firstLine, int top, int bottom, float* sums, float* zeros, float* biases, float* target)
    {
        int width = x.Shape[2];
        float** positions = stackalloc float*[KernelPositions];
        for (int column = 0; column < y.Shape[2]; column++, target += y.RowPitch)
        {
            for (int position = 0; position < KernelPositions; position++)
            {
                int line = firstLine + position / kernelWidth, pixel = column - padding + position % kernelWidth;
                bool inside = line >= top && line < bottom && (uint)pixel < (uint)width;
                positions[position] = inside ? sums + ((nint)(line - top) * width + pixel) * pitch + position * outputs : zeros;
            }

            for (int o = 0; o < outputs; o += Lanes)
            {
                var sum = Vector128.Load(positions[0] + o);
                for (int position = 1; position < KernelPositions; position++) sum += Vector128.Load(positions[position] + o);
                sum += Vector128.Load(biases + o);
                if (o + Lanes <= outputs) sum.Store(target + o);
                else for (int i = o; i < outputs; i++) target[i] = sum[i - o];
            }
        }
    }
}
