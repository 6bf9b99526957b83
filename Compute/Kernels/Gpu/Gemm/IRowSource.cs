using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Addresses of the rows of a GEMM's left operand: each row has one run of x per kernel position.</summary>
internal interface IRowSource
{
    /// <summary>Index in x at which a row's run begins; −1 if it is padding.</summary>
    int Offset(int row, int position);
}

/// <summary>Rows of a matrix: one kernel position.</summary>
internal readonly struct PlainRows : IRowSource
{
    private readonly int pitch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PlainRows(int pitch) => this.pitch = pitch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int row, int position) => row * pitch;
}

/// <summary>im2col rows of a convolution: one row per result pixel, with one run per kernel position.</summary>
internal readonly struct ImageRows : IRowSource
{
    private readonly int pitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding;
    private readonly float rowRatio, columnRatio;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ImageRows(
        int pitch, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride,
            int padding, float rowRatio, float columnRatio)
    {
        (this.pitch, this.height, this.width, this.seenHeight, this.seenWidth) = (pitch, height, width, seenHeight, seenWidth);
        (this.resultHeight, this.resultWidth, this.filterWidth, this.stride, this.padding) =
            (resultHeight, resultWidth, filterWidth, stride, padding);
        (this.rowRatio, this.columnRatio) = (rowRatio, columnRatio);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int row, int position)
    {
        int line = row / resultWidth, image = line / resultHeight;
        int y = (line - image * resultHeight) * stride + position / filterWidth - padding;
        int x = (row - line * resultWidth) * stride + position % filterWidth - padding;
        if (y < 0 || y >= seenHeight || x < 0 || x >= seenWidth) return -1;
        int sourceY = (int)(y * rowRatio), sourceX = (int)(x * columnRatio); // maps a pixel of the upsampled image to its source
        sourceY = sourceY < height ? sourceY : height - 1;
        sourceX = sourceX < width ? sourceX : width - 1;
        return ((image * height + sourceY) * width + sourceX) * pitch;
    }
}
