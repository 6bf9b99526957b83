namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>A prompt as token ids for a text encoder.</summary>
public sealed class PromptTokens
{
    internal PromptTokens(int[] ids, int count, IReadOnlyList<string> pieces, int cutCount, string? cutText) =>
        (Ids, Count, Pieces, CutCount, CutText) = (ids, count, pieces, cutCount, cutText);

    /// <summary>Token ids, [tokens]: begin, the prompt, end, then padding up to the tokenizer's length (77 for CLIP).</summary>
    public int[] Ids { get; }

    /// <summary>Number of ids before the padding, begin and end included.</summary>
    public int Count { get; }

    /// <summary>The vocabulary's spelling of the first <see cref="Count"/> ids.</summary>
    public IReadOnlyList<string> Pieces { get; }

    /// <summary>Number of tokens at the prompt's end that were truncated.</summary>
    public int CutCount { get; }

    /// <summary>The truncated text, as the tokenizer reads it (lower case), or null when the whole prompt fits.</summary>
    public string? CutText { get; }

    /// <summary>A warning that quotes the truncated text, or null.</summary>
    public string? Warning => CutText is null ? null
        : $"The prompt has {Count + CutCount} tokens and this text encoder reads {Ids.Length}. Left out: \"{CutText}\"";

    /// <summary>
    /// Index of the token whose hidden state is the prompt's pooled embedding, as transformers' CLIPTextModel chooses it.
    /// </summary>
    /// <param name="configEosTokenId"><c>eos_token_id</c> of the text encoder's config.json, which is not always the tokenizer's.</param>
    public int EndPosition(int configEosTokenId) => EndPosition(Ids, configEosTokenId);

    /// <summary>
    /// Index of the token whose hidden state is the pooled embedding: with <paramref name="configEosTokenId"/> 2 (every SD 1.x, SD 2.x and
    /// SDXL configuration; the number is a relic) the first of the largest ids, otherwise the first id that equals it, or 0 when there is
    /// none.
    /// </summary>
    /// <param name="ids">One prompt's ids with padding, [tokens].</param>
    /// <param name="configEosTokenId"><c>eos_token_id</c> of the text encoder's config.json.</param>
    public static int EndPosition(ReadOnlySpan<int> ids, int configEosTokenId)
    {
        if (configEosTokenId != 2) return Math.Max(ids.IndexOf(configEosTokenId), 0);
        int best = 0;
        for (int i = 1; i < ids.Length; i++)
            if (ids[i] > ids[best]) best = i;
        return best;
    }
}
