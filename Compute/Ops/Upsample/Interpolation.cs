namespace ILGpuDiffusion.Compute.Ops;

/// <summary>How a resized image's pixels come about.</summary>
public enum Interpolation
{
    /// <summary>The pixel in whose area the position lies.</summary>
    Nearest,

    /// <summary>The four pixels around the position, weighted by distance.</summary>
    Bilinear,
}
