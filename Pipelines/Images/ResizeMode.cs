namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>How a picture is brought to a size of other proportions.</summary>
internal enum ResizeMode
{
    /// <summary>Stretched to exactly that size.</summary>
    Default,

    /// <summary>Scaled to fit inside, centred; the bars get the picture's border, stretched.</summary>
    Fill,

    /// <summary>Scaled to cover, centred; what projects is cut off.</summary>
    Crop,
}
