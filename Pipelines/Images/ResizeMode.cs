namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>How an image is brought to a size of other proportions.</summary>
internal enum ResizeMode
{
    /// <summary>Stretched to exactly that size.</summary>
    Default,

    /// <summary>Scaled to fit inside, centred; the bars get the image's border, stretched.</summary>
    Fill,

    /// <summary>Scaled to cover, centred; what projects is cut off.</summary>
    Crop,
}
