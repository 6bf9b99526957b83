using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// CLIP's byte-level byte-pair tokenizer, read from a diffusers tokenizer folder (vocab.json and merges.txt, or tokenizer.json alone;
/// tokenizer_config.json and, where present, special_tokens_map.json and added_tokens.json). Thread-safe.
/// </summary>
/// <remarks>
/// CLIP tokenizers differ in their treatment of unusual text. This one gives the ids of transformers' slow CLIPTokenizer, the class that
/// diffusers' pipelines load, without the optional package ftfy: control and format characters are dropped, ideographs set apart, text is
/// composed (NFC) and lower-cased. With ftfy, mojibake, HTML entities, ligatures, full-width letters and curly quotes would be repaired
/// first; the fast tokenizer neither drops control characters nor sets ideographs apart. Every other text gives the same ids in all three.
/// As in the slow class, a special or added token found in the prompt is that token and splits the text around it: for SDXL's second
/// tokenizer, whose padding token is "!", each "!" of a prompt is id 0. A word of textual inversion with several vectors,
/// <c>&lt;word&gt;</c> beside <c>&lt;word&gt;_1</c>, <c>&lt;word&gt;_2</c> …, gives the ids of them all, as diffusers' pipelines have it.
/// Characters that Unicode assigned after the running .NET version are dropped as unassigned.
/// </remarks>
public sealed class ClipTokenizer
{
    private const int MaxModelLength = 1 << 16;
    private readonly ClipVocabulary vocabulary;
    private readonly string[] whole; // tokens recognised in raw text, longest first
    private readonly Dictionary<string, int[]> vectors; // the ids that each of them gives
    private readonly int unknownTokenId;

    private ClipTokenizer(ClipVocabulary vocabulary, ClipSpecialTokens special, int maxLength)
    {
        this.vocabulary = vocabulary;
        whole = [.. ((string[])[special.Bos, special.Eos, special.Pad, special.Unknown, .. special.Added.Keys]).Distinct()
            .OrderByDescending(t => t.Length)];
        vectors = whole.ToDictionary(token => token, token => Vectors(token, vocabulary.Ids[token], special.Added));
        (BosTokenId, EosTokenId, PadTokenId) = (vocabulary.Ids[special.Bos], vocabulary.Ids[special.Eos], vocabulary.Ids[special.Pad]);
        unknownTokenId = vocabulary.Ids[special.Unknown];
        ModelMaxLength = maxLength;
    }

    /// <summary>First id of every prompt.</summary>
    public int BosTokenId { get; }

    /// <summary>Last id of every prompt, before the padding.</summary>
    public int EosTokenId { get; }

    /// <summary>Id of the padding.</summary>
    public int PadTokenId { get; }

    /// <summary>Ids per prompt, begin, end and padding included; 77 for CLIP.</summary>
    public int ModelMaxLength { get; }

    /// <summary>Number of pieces, added tokens included.</summary>
    public int VocabularySize => vocabulary.Ids.Count;

    /// <summary>The largest id in the vocabulary, which may have gaps.</summary>
    public int LargestId => vocabulary.Ids.Values.Max();

    /// <summary>Reads a tokenizer folder.</summary>
    /// <exception cref="ModelFileException">A file is missing or damaged; the message names it and what is wrong.</exception>
    public static ClipTokenizer Load(string folder) => Load(new TokenizerFolder(folder));

    /// <summary>Reads a tokenizer's files.</summary>
    /// <exception cref="ModelFileException">A file is missing or damaged; the message names it and what is wrong.</exception>
    public static ClipTokenizer Load(ITokenizerFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var config = ModelConfig.Load(files, "tokenizer_config.json");
        int maxLength = config.Int("model_max_length");
        if (maxLength is < 2 or > MaxModelLength) throw config.Wrong("model_max_length", $"from 2 to {MaxModelLength}");
        var json = TokenizerJson.Find(files);
        var special = ClipSpecialTokens.Load(files, config, json?.Added);
        return new ClipTokenizer(ClipVocabulary.Load(files, special, json), special, maxLength);
    }

    /// <summary>
    /// Encodes a prompt, truncated and padded to <see cref="ModelMaxLength"/>. The result has the truncated text; show its
    /// <see cref="PromptTokens.Warning"/>.
    /// </summary>
    public PromptTokens Encode(string prompt)
    {
        var all = EncodeAll(prompt);
        int kept = Math.Min(all.Count, ModelMaxLength - 2);
        int[] ids = new int[ModelMaxLength];
        Array.Fill(ids, PadTokenId);
        ids[0] = BosTokenId;
        all.CopyTo(0, ids, 1, kept);
        ids[kept + 1] = EosTokenId;
        string? cut = kept < all.Count ? Decode(all.Skip(kept)).Trim() : null;
        return new PromptTokens(ids, kept + 2, [.. ids.Take(kept + 2).Select(Piece)], all.Count - kept, cut);
    }

    /// <summary>All ids of a text, without begin and end tokens, truncation or padding.</summary>
    public List<int> EncodeAll(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var ids = new List<int>();
        int start = 0;
        for (int i = 0; i < prompt.Length;)
        {
            string? token = TokenAt(prompt, i);
            if (token is null)
            {
                i++;
                continue;
            }

            EncodePlain(prompt[start..i], ids);
            ids.AddRange(vectors[token]);
            start = i += token.Length;
        }

        EncodePlain(prompt[start..], ids);
        return ids;
    }

    /// <summary>
    /// The text that ids spell, in lower case, with a space after each word. Ids outside the vocabulary give the unknown token.
    /// </summary>
    public string Decode(IEnumerable<int> ids) => ClipVocabulary.Text(ids.Select(Piece));

    /// <summary>diffusers' maybe_convert_prompt: the word, then word_1, word_2 … as far as there are such tokens.</summary>
    private static int[] Vectors(string token, int id, IReadOnlyDictionary<string, int> added)
    {
        var ids = new List<int> { id };
        if (added.ContainsKey(token))
            while (added.TryGetValue($"{token}_{ids.Count}", out int next)) ids.Add(next);
        return [.. ids];
    }

    private string? TokenAt(string text, int index)
    {
        foreach (string token in whole)
            if (string.CompareOrdinal(text, index, token, 0, token.Length) == 0) return token;
        return null;
    }

    private void EncodePlain(string text, List<int> ids)
    {
        foreach (string word in ClipText.Words(ClipText.Clean(text)))
            if (ClipText.Markers.Contains(word)) ids.Add(vocabulary.Ids.GetValueOrDefault(word, unknownTokenId));
            else ids.AddRange(vocabulary.Encode(word));
    }

    private string Piece(int id) => vocabulary.PieceOf(id) ?? vocabulary.PieceOf(unknownTokenId)!;
}
