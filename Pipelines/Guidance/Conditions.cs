using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Guidance;

/// <summary>What a denoiser is told beside latents and time. Entries are the negative prompts, when guided, then the prompts; each once per image.</summary>
/// <param name="Text">Token embeddings, and pooled embeddings where the model wants them.</param>
/// <param name="TimeIds">SDXL's size numbers, [entries, 6]; empty for models without them.</param>
internal sealed record Conditions(TextEmbeddings Text, float[] TimeIds)
{
    /// <summary>Each entry repeated: image i of a prompt directly after image i − 1.</summary>
    public static TextEmbeddings Repeat(TextEmbeddings text, int count) => count == 1 ? text : new(
        text.Count * count, text.Tokens, Repeat(text.Hidden, text.Count, count), Repeat(text.Pooled, text.Count, count));

    /// <summary>One list of entries after the other.</summary>
    public static TextEmbeddings Join(TextEmbeddings first, TextEmbeddings second) => new(
        first.Count + second.Count, first.Tokens, [.. first.Hidden, .. second.Hidden], [.. first.Pooled, .. second.Pooled]);

    private static float[] Repeat(float[] values, int entries, int count)
    {
        int width = values.Length / entries;
        return [.. Enumerable.Range(0, entries * count).SelectMany(i => values.Skip(i / count * width).Take(width))];
    }
}
