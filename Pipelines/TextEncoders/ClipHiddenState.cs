namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Selects the hidden state of a CLIP text encoder that becomes the prompt embedding.</summary>
/// <param name="Skip">Number of last layers to skip.</param>
/// <param name="FinalNorm">Whether the final layer norm is applied.</param>
internal readonly record struct ClipHiddenState(int Skip, bool FinalNorm)
{
    /// <summary>StableDiffusionPipeline: the last layer, or with clip skip one that many earlier, each with the final norm.</summary>
    public static ClipHiddenState StableDiffusion(int? clipSkip) => new(clipSkip ?? 0, true);

    /// <summary>
    /// StableDiffusionXLPipeline and StableDiffusion3Pipeline: the last but one layer, or with clip skip one that many earlier, without the
    /// norm.
    /// </summary>
    public static ClipHiddenState StableDiffusionXl(int? clipSkip) => new(clipSkip is { } skip ? skip + 1 : 1, false);
}
