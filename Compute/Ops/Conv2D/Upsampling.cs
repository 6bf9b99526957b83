namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The image that a convolution reads: x, or a resized x that is never stored, because kernels look its pixels up in x.</summary>
public enum Upsampling
{
    /// <summary>x itself.</summary>
    None,

    /// <summary>x at twice its height and width, as <see cref="Upsample"/> with one argument.</summary>
    Double,

    /// <summary>
    /// x resized to the height and width of a further argument, which comes after the bias, as <see cref="Upsample"/> with two arguments.
    /// </summary>
    Like,
}
