using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The fixed position embedding of vision transformers: sines and cosines of both coordinates.</summary>
public static class SinCosPositionTable
{
    private const double Period = 10000;

    /// <summary>
    /// One row per patch in row-major order: sines, then cosines of the column coordinate in the first half, of the row coordinate in the
    /// second. A coordinate is i / (size / baseSize), so that a grid of any size spans 0 … baseSize; frequency j of n is 10000^(−j / n).
    /// </summary>
    /// <param name="channels">Width of a row; a multiple of 4.</param>
    /// <param name="height">Rows of patches.</param>
    /// <param name="width">Columns of patches.</param>
    /// <param name="baseSize">Size that coordinates are scaled to, in patches.</param>
    /// <param name="interpolationScale">Divisor of the coordinates.</param>
    /// <returns>[height · width, channels], row-major; computed in float64 from coordinates in float32, as diffusers'
    /// <c>get_2d_sincos_pos_embed</c> does.</returns>
    /// <exception cref="ShapeException">A size is not positive, or <paramref name="channels"/> is not a multiple of 4.</exception>
    public static float[] Create(int channels, int height, int width, int baseSize, double interpolationScale = 1)
    {
        ShapeException.ThrowUnless(channels > 0 && channels % 4 == 0, "position_table", "channels", channels, "a positive multiple of 4");
        ShapeException.ThrowUnless(height > 0 && width > 0 && baseSize > 0, "position_table", "grid", $"{height}x{width} of {baseSize}",
            "positive");
        float[] table = new float[height * width * channels];
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                var target = table.AsSpan((row * width + column) * channels, channels);
                Embed(Coordinate(column, width, baseSize, interpolationScale), target[..(channels / 2)]);
                Embed(Coordinate(row, height, baseSize, interpolationScale), target[(channels / 2)..]);
            }
        }

        return table;
    }

    private static float Coordinate(int index, int size, int baseSize, double interpolationScale) =>
        index / (float)((double)size / baseSize) / (float)interpolationScale;

    private static void Embed(double coordinate, Span<float> target)
    {
        int half = target.Length / 2;
        for (int j = 0; j < half; j++)
        {
            var (sine, cosine) = Math.SinCos(coordinate / Math.Pow(Period, (double)j / half));
            (target[j], target[j + half]) = ((float)sine, (float)cosine);
        }
    }
}
