using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>What a model takes and what it assumes where a request does not say; requests are checked against it.</summary>
/// <param name="Name">The model's name, for messages.</param>
/// <param name="Latents">Layout of the latents.</param>
/// <param name="Defaults">Settings of requests that leave them out.</param>
public sealed record ModelLimits(string Name, LatentLayout Latents, PipelineDefaults Defaults)
{
    /// <summary>The most layers that <see cref="ImageRequest.ClipSkip"/> can skip; 0 for models without that choice.</summary>
    public int ClipSkip { get; init; }

    /// <summary>Whether the model takes a second prompt.</summary>
    public bool SecondPrompt { get; init; }

    /// <summary>The inputs that prompts are encoded into.</summary>
    public IReadOnlyList<EmbeddingInput> Embeddings { get; init; } = [];

    /// <summary>Whether the denoiser takes a mask and the masked image as inputs: it can then only inpaint.</summary>
    public bool InpaintingOnly { get; init; }
}

/// <summary>An input of the denoiser that prompts are encoded into.</summary>
/// <param name="Name">Its name: <c>encoder_hidden_states</c> …</param>
/// <param name="Width">Numbers per token, or per prompt.</param>
/// <param name="PerToken">Whether it has an embedding per token, [prompts, tokens, width]; else one per prompt, [prompts, width].</param>
public sealed record EmbeddingInput(string Name, int Width, bool PerToken);
