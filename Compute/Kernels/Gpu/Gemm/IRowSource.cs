using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Where the rows of a product's left operand lie: each has one piece of x per position of a filter.</summary>
internal interface IRowSource
{
    /// <summary>The element of x at which a row's piece begins; −1 where it lies outside the image and is zero.</summary>
    int Offset(int row, int position);
}

/// <summary>Rows as they are: one position.</summary>
internal readonly struct PlainRows : IRowSource
{
    private readonly int pitch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PlainRows(int pitch) => this.pitch = pitch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int row, int position) => row * pitch;
}

/// <summary>The neighbourhoods of a convolution's results. One row per result pixel, one position per position of the filter.</summary>
internal readonly struct ImageRows : IRowSource
{
    private readonly int pitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding;
    private readonly float rowRatio, columnRatio;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ImageRows(
        int pitch, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride, int padding, float rowRatio, float columnRatio)
    {
        (this.pitch, this.height, this.width, this.seenHeight, this.seenWidth) = (pitch, height, width, seenHeight, seenWidth);
        (this.resultHeight, this.resultWidth, this.filterWidth, this.stride, this.padding) = (resultHeight, resultWidth, filterWidth, stride, padding);
        (this.rowRatio, this.columnRatio) = (rowRatio, columnRatio);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Offset(int row, int position)
    {
        int line = row / resultWidth, image = line / resultHeight;
        int y = (line - image * resultHeight) * stride + position / filterWidth - padding;
        int x = (row - line * resultWidth) * stride + position % filterWidth - padding;
        if (y < 0 || y >= seenHeight || x < 0 || x >= seenWidth) return -1;
        int sourceY = (int)(y * rowRatio), sourceX = (int)(x * columnRatio); // an enlarged image is read where its pixels come from
        sourceY = sourceY < height ? sourceY : height - 1;
        sourceX = sourceX < width ? sourceX : width - 1;
        return ((image * height + sourceY) * width + sourceX) * pitch;
    }
}
