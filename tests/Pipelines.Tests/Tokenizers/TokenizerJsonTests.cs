using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// A tokenizer.json instead of vocab.json and merges.txt gives the same ids; one of another tokenizer is refused by name.
/// </summary>
public sealed class TokenizerJsonTests : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Replaces a folder's vocab.json and merges.txt with a tokenizer.json, as transformers 5 saves it.</summary>
    internal static void Replace(string folder, bool clipsSteps = false, bool mergesAsText = false)
    {
        string vocab = Path.Combine(folder, "vocab.json"), merges = Path.Combine(folder, "merges.txt");
        var ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(vocab))!;
        string[] lines = [.. File.ReadAllText(merges).Trim().Split('\n').Skip(1)];
        JsonNode? Steps(string json) => clipsSteps ? JsonNode.Parse(json) : null;
        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(
                [.. ((string[])["<|startoftext|>", "<|endoftext|>"]).Select(t =>
                    (JsonNode)new JsonObject { ["id"] = ids[t], ["content"] = t, ["single_word"] = false, ["special"] = true })]),
            ["normalizer"] = Steps("""{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]}"""),
            ["pre_tokenizer"] = Steps("""
                {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},"behavior":"Removed","invert":true},
                 {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}
                """),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = "<|endoftext|>",
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "</w>",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["vocab"] = JsonSerializer.SerializeToNode(ids),
                ["merges"] = new JsonArray(
                    [.. lines.Select(line => mergesAsText ? (JsonNode)line
                        : new JsonArray([.. line.Split(' ').Select(p => (JsonNode)p)]))]),
            },
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString(Plain));
        foreach (string file in (string[])[vocab, merges, Path.Combine(folder, "special_tokens_map.json"),
            Path.Combine(folder, "added_tokens.json")]) File.Delete(file);
    }

    [Theory]
    [InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public void Encode_FromTokenizerJson_GivesTheIdsOfVocabularyAndMerges(bool clipsSteps, bool mergesAsText)
    {
        const string Text = "The CAT's  red dog! thé <|endoftext|> 42";
        SyntheticTokenizer.Write(folder);
        var expected = ClipTokenizer.Load(folder.Path);
        Replace(folder.Path, clipsSteps, mergesAsText);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Equal(expected.EncodeAll(Text), tokenizer.EncodeAll(Text));
        Assert.Equal(expected.Encode(Text).Ids, tokenizer.Encode(Text).Ids);
        Assert.Equal(expected.VocabularySize, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData("model.type", "\"WordPiece\"", "'type' is \"WordPiece\"")]
    [InlineData("model.type", "\"Unigram\"", "'type' is \"Unigram\"")]
    [InlineData("model.end_of_word_suffix", "null", "'end_of_word_suffix' is null")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "'continuing_subword_prefix' is \"##\"")]
    [InlineData("model.dropout", "0.1", "'dropout' is 0.1")]
    [InlineData("model.byte_fallback", "true", "'byte_fallback' is true")]
    [InlineData("model.merges", "3", "'merges' is 3")]
    [InlineData("model.merges", "[[\"a\"]]", "merge 1 is not a pair")]
    [InlineData("model.merges", "[[\"q\",\"z\"]]", "merge 1, 'q z', needs the piece 'qz'")]
    [InlineData("model.vocab", "[]", "'vocab' is []")]
    [InlineData("model", "null", "'model' is null")]
    [InlineData("added_tokens", "[{\"content\":\"x\"}]", "entry 1 of added_tokens")]
    [InlineData("added_tokens", "[{\"content\":\"\\ud800\",\"id\":3}]", "not Unicode")]
    [InlineData("normalizer", "{\"type\":\"BertNormalizer\"}", "'normalizer' is {\"type\":\"BertNormalizer\"}")]
    [InlineData("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"}]}", "'normalizer'")]
    [InlineData("normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\" \"}", "'normalizer'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Whitespace\"}", "'pre_tokenizer' is {\"type\":\"Whitespace\"}")]
    [InlineData("pre_tokenizer", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", "'pre_tokenizer'")]
    public void Load_AnotherTokenizer_IsRefusedByName(string key, string value, string named)
    {
        SyntheticTokenizer.Write(folder);
        Replace(folder.Path);
        string path = Path.Combine(folder.Path, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        string[] parts = key.Split('.');
        var parent = parts.Length == 1 ? json : json[parts[0]]!.AsObject();
        parent[parts[^1]] = "REPLACED";
        File.WriteAllText(path, json.ToJsonString(Plain).Replace("\"REPLACED\"", value, StringComparison.Ordinal));
        string message = Assert.Throws<ModelFileException>(() => ClipTokenizer.Load(folder.Path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }
}
