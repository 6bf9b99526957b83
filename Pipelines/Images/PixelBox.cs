namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>A rectangle of pixels.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Right">Column after the last.</param>
/// <param name="Bottom">Row after the last.</param>
internal readonly record struct PixelBox(int Left, int Top, int Right, int Bottom)
{
    /// <summary>In pixels.</summary>
    public int Width => Right - Left;

    /// <summary>In pixels.</summary>
    public int Height => Bottom - Top;

    /// <summary>The rectangle of a whole image.</summary>
    public static PixelBox Of(Image image) => new(0, 0, image.Width, image.Height);
}
