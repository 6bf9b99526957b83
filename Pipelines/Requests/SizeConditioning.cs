namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>
/// SDXL's size conditioning: size of the image to imitate, before and after cropping, in pixels (Podell et al., 2023, arXiv:2307.01952,
/// section 2.2). By default the size of the generated image, uncropped.
/// </summary>
public sealed record SizeConditioning
{
    /// <summary>Size before cropping and scaling.</summary>
    public PixelSize? OriginalSize { get; init; }

    /// <summary>Target size that the model is conditioned on.</summary>
    public PixelSize? TargetSize { get; init; }

    /// <summary>Pixels cut off at the top and the left.</summary>
    public (int Top, int Left) CropTopLeft { get; init; }

    /// <summary>For the negative prompt; takes effect together with <see cref="NegativeTargetSize"/>, as in diffusers.</summary>
    public PixelSize? NegativeOriginalSize { get; init; }

    /// <summary>For the negative prompt; takes effect together with <see cref="NegativeOriginalSize"/>, as in diffusers.</summary>
    public PixelSize? NegativeTargetSize { get; init; }

    /// <summary>For the negative prompt.</summary>
    public (int Top, int Left) NegativeCropTopLeft { get; init; }
}

/// <summary>A size in pixels.</summary>
/// <param name="Width">From left to right.</param>
/// <param name="Height">From top to bottom.</param>
public readonly record struct PixelSize(int Width, int Height)
{
    /// <summary>Such as <c>1024x768</c>.</summary>
    public override string ToString() => $"{Width}x{Height}";
}
