namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>What a pipeline is doing.</summary>
/// <param name="Stage">The stage at work.</param>
/// <param name="Done">Units done: steps of denoising, images of decoding.</param>
/// <param name="Total">Units in all.</param>
public readonly record struct GenerationProgress(GenerationStage Stage, int Done, int Total);

/// <summary>The stages of a generation, in order.</summary>
public enum GenerationStage
{
    /// <summary>Tokens to embeddings.</summary>
    EncodePrompt,

    /// <summary>Noise to latents.</summary>
    Denoise,

    /// <summary>Latents to pixels.</summary>
    Decode,
}
