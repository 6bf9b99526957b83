namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Interpolation of a resized image's pixels.</summary>
public enum Interpolation
{
    /// <summary>The nearest pixel.</summary>
    Nearest,

    /// <summary>The four surrounding pixels, weighted by distance.</summary>
    Bilinear,
}
