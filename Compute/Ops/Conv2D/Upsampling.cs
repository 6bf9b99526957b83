namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Which image a convolution sees: x, or one that is larger and never exists in memory, because kernels look its pixels up in x.</summary>
public enum Upsampling
{
    /// <summary>x itself.</summary>
    None,

    /// <summary>x enlarged to twice its height and width, <see cref="Upsample"/> of one argument.</summary>
    Double,

    /// <summary>x resized to the height and width of a further argument, which comes after the bias: <see cref="Upsample"/> of two arguments.</summary>
    Like,
}
