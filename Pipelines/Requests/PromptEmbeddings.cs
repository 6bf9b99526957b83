namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>
/// Encoded prompts in host memory, by the names of the model's inputs: diffusers' <c>prompt_embeds</c> is <c>encoder_hidden_states</c>
/// [prompts, tokens, width], <c>pooled_prompt_embeds</c> is <c>text_embeds</c> [prompts, width].
/// <c>DiffusionPipeline.EncodePromptsAsync</c> makes them, and a request takes them in place of prompts.
/// </summary>
/// <param name="Prompt">The prompts' embeddings.</param>
/// <param name="Negative">The negative prompts' embeddings, with equal names and shapes; null without guidance.</param>
public sealed record PromptEmbeddings(IReadOnlyDictionary<string, HostTensor> Prompt, IReadOnlyDictionary<string, HostTensor>? Negative);

/// <summary>A tensor in host memory.</summary>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Values">Row by row.</param>
public sealed record HostTensor(IReadOnlyList<int> Shape, float[] Values);
