using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Overlap of a convolution's result with its argument, which saves the largest image's memory in decoders. With at most half as many
/// channels, a line of the result is at most half as long, so that writing falls further and further behind reading; at the top the result
/// begins some lines before the argument. Rows of tiles are computed in batches: none may write where a tile of the same batch, or of a
/// later one, still reads.
/// </summary>
internal readonly record struct WinogradOverlap
{
    private const int FirstTileRows = 4; // of the first batch; the next ones grow to twice what was written before
    private const int MostPadding = 4;
    private readonly int height, tilesDown, padding;
    private readonly long argumentLine, resultLine, lead;

    private WinogradOverlap(Conv2D op, Shape x, Shape y)
    {
        (height, tilesDown, padding) = (y[1], IntegerMath.CeilDiv(y[1], WinogradGrid.TileSide), op.PaddingBefore);
        (argumentLine, resultLine) = ((long)x[2] * x.Last * sizeof(float), (long)y[2] * y.Last * sizeof(float));
        lead = FirstTileRows * WinogradGrid.TileSide * resultLine;
    }

    /// <summary>Bytes by which the result must begin before the argument; null if they must not overlap.</summary>
    public static long? LeadBytes(OpSignature signature)
    {
        var op = (Conv2D)signature.Op;
        Shape x = signature.Inputs[0].Concrete(), y = signature.Output.Concrete();
        bool can = op is { Stride: 1, Upsampling: Upsampling.None, PaddingBefore: <= MostPadding } && x[1] == y[1] && x[2] == y[2]
            && 2 * y.Last <= x.Last;
        return can ? new WinogradOverlap(op, x, y).lead : null;
    }

    /// <summary>The overlap of a call's result with its argument; null if they are disjoint.</summary>
    /// <exception cref="ShapeException">They overlap in another way than <see cref="LeadBytes"/> requires.</exception>
    public static WinogradOverlap? Of(OpCall call)
    {
        Tensor x = call.Inputs[0], y = call.Output;
        if (x.Buffer != y.Buffer || End(x) <= y.Offset || End(y) <= x.Offset) return null;
        var signature = new OpSignature(call.Op, [.. call.Inputs.Select(i => i.Type)], y.Type);
        ShapeException.ThrowUnless(x.IsContiguous && y.IsContiguous && LeadBytes(signature) <= x.Offset - y.Offset, "conv2d", "result",
            $"{y} at byte {y.Offset}", $"apart from {x} at byte {x.Offset}, or as far before it as its kernel says");
        return new WinogradOverlap((Conv2D)call.Op, x.Shape, y.Shape);
    }

    /// <summary>End of the batch that begins with a row of tiles.</summary>
    /// <param name="first">The row, counted over all images.</param>
    /// <param name="rows">Number of rows.</param>
    public int BatchEnd(int first, int rows)
    {
        long read = Math.Max(first / tilesDown * height, Top(first) - padding) * argumentLine + lead;
        int end = first + 1; // one row is always possible
        while (end < rows && (Top(end) + WinogradGrid.TileSide) * resultLine <= read) end++;
        return end;
    }

    private int Top(int row) => row / tilesDown * height + row % tilesDown * WinogradGrid.TileSide;

    private static long End(Tensor t) => t.Offset + ((long)(t.Rows - 1) * t.RowPitch + t.Width) * t.DType.Size();
}
