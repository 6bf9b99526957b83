using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Guidance;

/// <summary>
/// Conditioning inputs other than latents and timestep. Entries are the negative prompts, with guidance, then the prompts; each once per
/// image.
/// </summary>
/// <param name="Text">Prompt embeddings, and pooled embeddings where the model needs them.</param>
/// <param name="TimeIds">SDXL's size numbers, [entries, 6]; empty for models without them.</param>
internal sealed record Conditions(TextEmbeddings Text, float[] TimeIds)
{
    /// <summary>Repeats each entry: image i of a prompt directly follows image i − 1.</summary>
    public static TextEmbeddings Repeat(TextEmbeddings text, int count) => count == 1 ? text : new(
        text.Count * count, text.Tokens, Repeat(text.Hidden, text.Count, count), Repeat(text.Pooled, text.Count, count));

    /// <summary>Concatenates the entries of both.</summary>
    public static TextEmbeddings Join(TextEmbeddings first, TextEmbeddings second) => new(
        first.Count + second.Count, first.Tokens, [.. first.Hidden, .. second.Hidden], [.. first.Pooled, .. second.Pooled]);

    private static float[] Repeat(float[] values, int entries, int count)
    {
        int width = values.Length / entries;
        return [.. Enumerable.Range(0, entries * count).SelectMany(i => values.Skip(i / count * width).Take(width))];
    }
}
