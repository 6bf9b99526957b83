namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>Progress of a generation.</summary>
/// <param name="Stage">The running stage.</param>
/// <param name="Done">Completed units: denoising steps, or decoded images.</param>
/// <param name="Total">Total number of units.</param>
public readonly record struct GenerationProgress(GenerationStage Stage, int Done, int Total);

/// <summary>The stages of a generation, in order.</summary>
public enum GenerationStage
{
    /// <summary>Encoding prompts into embeddings.</summary>
    EncodePrompt,

    /// <summary>Denoising latents.</summary>
    Denoise,

    /// <summary>Decoding latents into images.</summary>
    Decode,
}
