using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// A tokenizer.json of the tokenizers library: vocabulary, merges and added tokens in one file, the only one that transformers 5 writes.
/// Its other settings must be CLIP's, since text is cleaned and split by <see cref="ClipText"/>.
/// </summary>
internal sealed class TokenizerJson
{
    private const int MostAdded = 1 << 16;
    private static readonly string[] Splits =
    [
        @"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        @"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    ];

    private TokenizerJson(ModelConfig file)
    {
        File = file.File;
        Check(file, "normalizer", "normalizers", IsNormalizer, "CLIP's (NFC, white space, lower case) or null");
        Check(file, "pre_tokenizer", "pretokenizers", IsPreTokenizer, "CLIP's (its pattern, then bytes) or null");
        var model = file.Section("model");
        Need(model, "type", model.String("type", "BPE") == "BPE", "\"BPE\", byte-pair encoding as CLIP has it");
        Need(model, "end_of_word_suffix", model.Has("end_of_word_suffix")
            && model.String("end_of_word_suffix") == "</w>", "\"</w>\", as CLIP has it");
        Need(model, "continuing_subword_prefix", !model.Has("continuing_subword_prefix")
            || model.String("continuing_subword_prefix").Length == 0, "empty, as CLIP has it");
        Need(model, "dropout", !model.Has("dropout") || model.Double("dropout") == 0, "null, or words would be cut at random");
        foreach (string key in (string[])["byte_fallback", "fuse_unk", "ignore_merges"]) Need(model, key, !model.Bool(key, false),
            "false, as CLIP has it");
        Vocabulary = model.Section("vocab");
        Merges = ReadMerges(model);
        Added = ReadAdded(file);
    }

    /// <summary>The file, for messages.</summary>
    public string File { get; }

    /// <summary>Piece → id.</summary>
    public ModelConfig Vocabulary { get; }

    /// <summary>Pairs of pieces separated by a space, the earliest joined first.</summary>
    public IReadOnlyList<string> Merges { get; }

    /// <summary>Tokens outside byte-pair encoding, with their ids.</summary>
    public IReadOnlyDictionary<string, int> Added { get; }

    /// <summary>
    /// Reads a folder's tokenizer.json where vocab.json or merges.txt is missing; null where both are there or all are missing.
    /// </summary>
    /// <exception cref="ModelFileException">The file is damaged, or describes another tokenizer than CLIP's.</exception>
    public static TokenizerJson? Find(ITokenizerFiles files)
    {
        const string Name = "tokenizer.json";
        if (!files.Has(Name) || (files.Has("vocab.json") && files.Has("merges.txt"))) return null;
        var file = ModelConfig.Load(files, Name);
        try
        {
            return new TokenizerJson(file);
        }
        catch (InvalidOperationException e) // JSON syntax allows text that is not Unicode
        {
            throw new ModelFileException(file.File, $"holds text that is not Unicode ({e.Message})", e);
        }
    }

    private static List<string> ReadMerges(ModelConfig model)
    {
        const string Key = "merges";
        if (model.Find(Key) is not { ValueKind: JsonValueKind.Array } list) throw model.Wrong(Key, "a list of pairs");
        var merges = new List<string>(list.GetArrayLength());
        foreach (var merge in list.EnumerateArray()) // "a b" in older files, ["a", "b"] in newer ones
            merges.Add(merge.ValueKind == JsonValueKind.String ? merge.GetString()!
                : merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
                    && merge.EnumerateArray().All(piece => piece.ValueKind == JsonValueKind.String)
                    ? $"{merge[0].GetString()} {merge[1].GetString()}"
                    : throw new ModelFileException(model.File, $"merge {merges.Count + 1} is not a pair of pieces.") { Key = Key });
        return merges;
    }

    private static Dictionary<string, int> ReadAdded(ModelConfig file)
    {
        const string Key = "added_tokens";
        var added = new Dictionary<string, int>();
        if (!file.Has(Key)) return added;
        if (file.Find(Key) is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() > MostAdded)
            throw file.Wrong(Key, $"a list of at most {MostAdded} tokens");
        foreach (var token in list.EnumerateArray())
            if (ClipSpecialTokens.TextOf(token) is { } text && token.ValueKind == JsonValueKind.Object
                && token.TryGetProperty("id", out var id)
                && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number)) added[text] = number;
            else throw new ModelFileException(file.File,
                $"entry {added.Count + 1} of {Key} is not a token with 'content' and 'id' whose 'single_word' is not true.")
            { Key = Key };
        return added;
    }

    /// <summary>Null, one step, or a Sequence of steps.</summary>
    private static void Check(ModelConfig file, string key, string list, Func<JsonElement, bool> isClips, string expected)
    {
        if (file.Find(key) is not { } step) return;
        bool sequence = TypeOf(step) == "Sequence" && step.TryGetProperty(list, out var inner) && inner.ValueKind == JsonValueKind.Array
            && inner.EnumerateArray().All(isClips);
        Need(file, key, sequence || isClips(step), expected);
    }

    private static bool IsNormalizer(JsonElement step) => TypeOf(step) switch
    {
        "NFC" or "Lowercase" => true,
        "Replace" => Pattern(step) == @"\s+" && step.TryGetProperty("content", out var content)
            && content.ValueKind == JsonValueKind.String && content.GetString() == " ",
        _ => false,
    };

    private static bool IsPreTokenizer(JsonElement step) => TypeOf(step) switch
    {
        "Split" => Splits.Contains(Pattern(step)) && step.TryGetProperty("invert", out var invert)
            && invert.ValueKind == JsonValueKind.True,
        "ByteLevel" => !(step.TryGetProperty("add_prefix_space", out var space) && space.ValueKind == JsonValueKind.True),
        _ => false,
    };

    private static string? TypeOf(JsonElement step) =>
        step.ValueKind == JsonValueKind.Object && step.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString() : null;

    private static string? Pattern(JsonElement step) =>
        step.TryGetProperty("pattern", out var pattern) && pattern.ValueKind == JsonValueKind.Object
            && pattern.TryGetProperty("Regex", out var regex) && regex.ValueKind == JsonValueKind.String
            ? regex.GetString() : null;

    private static void Need(ModelConfig config, string key, bool condition, string expected)
    {
        if (!condition) throw config.Wrong(key, expected);
    }
}
