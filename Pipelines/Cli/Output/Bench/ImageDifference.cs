using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>How far an image is from another one of the same size, over all colour values of 0 … 255.</summary>
/// <param name="Largest">The largest absolute difference.</param>
/// <param name="Mean">The mean absolute difference.</param>
/// <param name="Psnr">Peak signal-to-noise ratio in dB; infinity for equal images.</param>
internal readonly record struct ImageDifference(int Largest, double Mean, double Psnr)
{
    /// <summary>Compares two images.</summary>
    public static ImageDifference Between(Image image, Image reference)
    {
        ReadOnlySpan<byte> mine = image.Pixels, its = reference.Pixels;
        int largest = 0;
        long sum = 0, squares = 0;
        for (int i = 0; i < mine.Length; i++)
        {
            int difference = Math.Abs(mine[i] - its[i]);
            largest = Math.Max(largest, difference);
            sum += difference;
            squares += difference * difference;
        }

        return new(largest, (double)sum / mine.Length, 10 * Math.Log10(255.0 * 255 * mine.Length / squares));
    }
}
