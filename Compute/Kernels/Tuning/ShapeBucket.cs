using System.Numerics;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The size class of a call, which kernels are tuned for. What the user chooses (image size, batch, tokens) makes <see cref="Rows"/>,
/// rounded up to steps of half a power of two; what the model fixes is exact.
/// </summary>
/// <param name="Rows">Rows, pixels or queries: what grows with the image.</param>
/// <param name="Shape">All that the model fixes.</param>
public readonly record struct ShapeBucket(int Rows, BucketShape Shape)
{
    /// <summary>The bucket of a call.</summary>
    /// <param name="rows">Exact rows.</param>
    /// <param name="shape">What the model fixes.</param>
    public static ShapeBucket Of(long rows, BucketShape shape) => new(Round(rows), shape);

    /// <summary>Rounds up to 1, 2, 3, 4, 6, 8, 12, 16, 24 …</summary>
    public static int Round(long rows)
    {
        long power = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(rows, 1, 1 << 30));
        return (int)(power >= 4 && rows <= power / 4 * 3 ? power / 4 * 3 : power);
    }

    /// <summary>Such as <c>≤4096 × 640→5120</c>.</summary>
    public override string ToString() => $"≤{Rows} × {Shape}";
}
