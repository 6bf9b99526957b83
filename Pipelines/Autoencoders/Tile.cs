using System.Numerics.Tensors;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// A batch of images or latents, or a part of one, in host memory: [n, height, width, channels]. Every method works on contiguous runs of
/// elements: on a device each would be a copy or an elementwise op on column views.
/// </summary>
internal sealed record Tile(int Count, int Height, int Width, int Channels, float[] Values)
{
    private int RowLength => Width * Channels;

    /// <summary>Allocates a tile of the given sizes.</summary>
    public static Tile Empty(int count, int height, int width, int channels) =>
        new(count, height, width, channels, new float[checked(count * height * width * channels)]);

    /// <summary>A copy of the part that begins at (top, left), with at most <paramref name="size"/> rows and columns.</summary>
    public Tile Cut(int top, int left, int size)
    {
        var part = Empty(Count, Math.Min(size, Height - top), Math.Min(size, Width - left), Channels);
        for (int n = 0; n < Count; n++)
            for (int y = 0; y < part.Height; y++) Row(n, top + y).Slice(left * Channels, part.RowLength).CopyTo(part.Row(n, y));
        return part;
    }

    /// <summary>Copies the upper left part, at most <paramref name="size"/> rows and columns, to (top, left) of a larger tile.</summary>
    public void Paste(Tile target, int top, int left, int size)
    {
        int rows = Math.Min(size, Height), columns = Math.Min(size, Width);
        for (int n = 0; n < Count; n++)
            for (int y = 0; y < rows; y++) Row(n, y)[..(columns * Channels)].CopyTo(target.Row(n, top + y)[(left * Channels)..]);
    }

    /// <summary>Fades from the last rows of the tile above into the first rows of this one: diffusers' <c>blend_v</c>.</summary>
    public void BlendFromAbove(Tile above, int extent)
    {
        extent = Math.Min(extent, Math.Min(above.Height, Height));
        for (int n = 0; n < Count; n++)
            for (int y = 0; y < extent; y++)
            {
                var row = Row(n, y);
                TensorPrimitives.Multiply(row, (float)((double)y / extent), row);
                TensorPrimitives.MultiplyAdd(above.Row(n, above.Height - extent + y), (float)(1 - (double)y / extent), row, row);
            }
    }

    /// <summary>
    /// Fades from the last columns of the tile on the left into the first columns of this one: diffusers' <c>blend_h</c>.
    /// </summary>
    public void BlendFromLeft(Tile left, int extent)
    {
        extent = Math.Min(extent, Math.Min(left.Width, Width));
        float[] fadeIn = new float[extent * Channels], fadeOut = new float[extent * Channels];
        for (int i = 0; i < fadeIn.Length; i++)
        {
            double part = (double)(i / Channels) / extent;
            (fadeIn[i], fadeOut[i]) = ((float)part, (float)(1 - part));
        }

        for (int n = 0; n < Count; n++)
            for (int y = 0; y < Height; y++)
            {
                var row = Row(n, y)[..fadeIn.Length];
                TensorPrimitives.Multiply(row, fadeIn, row);
                TensorPrimitives.MultiplyAdd(left.Row(n, y)[^fadeOut.Length..], fadeOut, row, row);
            }
    }

    private Span<float> Row(int n, int y) => Values.AsSpan((n * Height + y) * RowLength, RowLength);
}
