using System.Globalization;
using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>The tokens outside byte-pair encoding, as a tokenizer folder's configuration names them.</summary>
/// <param name="Bos">First token of every prompt (bos_token).</param>
/// <param name="Eos">Last token of every prompt (eos_token).</param>
/// <param name="Pad">Padding up to the model's length (pad_token); SDXL's two tokenizers differ here.</param>
/// <param name="Unknown">Replaces what the vocabulary lacks (unk_token).</param>
/// <param name="Added">Tokens with ids of their own in addition to vocab.json (added_tokens_decoder, added_tokens.json).</param>
internal sealed record ClipSpecialTokens(string Bos, string Eos, string Pad, string Unknown, IReadOnlyDictionary<string, int> Added)
{
    private const int MaxAdded = 1 << 16;

    /// <summary>
    /// Reads tokenizer_config.json. Where it has no added_tokens_decoder, special_tokens_map.json overrides it and added_tokens.json adds
    /// to it, as transformers reads folders of that age.
    /// </summary>
    /// <param name="files">The tokenizer's files.</param>
    /// <param name="config">Its tokenizer_config.json.</param>
    /// <param name="listed">The added tokens of a tokenizer.json; null where there is none.</param>
    /// <exception cref="ModelFileException">A file is damaged or a value is unusable.</exception>
    public static ClipSpecialTokens Load(ITokenizerFiles files, ModelConfig config, IReadOnlyDictionary<string, int>? listed = null)
    {
        try
        {
            return Read(files, config, listed);
        }
        catch (InvalidOperationException e) // JSON syntax allows text that is not Unicode
        {
            throw new ModelFileException(files.Location, $"a token's name is not Unicode text ({e.Message})", e);
        }
    }

    private static ClipSpecialTokens Read(ITokenizerFiles files, ModelConfig config, IReadOnlyDictionary<string, int>? listed)
    {
        var added = new Dictionary<string, int>(listed ?? new Dictionary<string, int>());
        ModelConfig? map = null;
        if (config.Find("added_tokens_decoder") is { } decoder)
        {
            if (decoder.ValueKind != JsonValueKind.Object) throw config.Wrong("added_tokens_decoder", "an object from id to token");
            foreach (var entry in decoder.EnumerateObject())
            {
                if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                    throw config.Wrong("added_tokens_decoder", "an object whose keys are token ids");
                added[Content(entry.Value) ?? throw config.Wrong("added_tokens_decoder", "an object from id to token")] = id;
            }
        }
        else
        {
            if (files.Has("special_tokens_map.json")) map = ModelConfig.Load(files, "special_tokens_map.json");
            if (files.Has("added_tokens.json"))
            {
                var tokens = ModelConfig.Load(files, "added_tokens.json");
                foreach (string token in tokens.Keys) added[token] = tokens.Int(token);
            }
        }

        foreach (var (token, id) in added)
            if (token.Length == 0 || id is < 0 or > ClipVocabulary.MaxId)
                throw new ModelFileException(files.Location,
                    $"the added token '{token}' has id {id}; it must have a name and an id from 0 to {ClipVocabulary.MaxId}.");
        if (added.Count > MaxAdded) throw new ModelFileException(files.Location, $"{added.Count} added tokens are more than {MaxAdded}.");
        return new ClipSpecialTokens(
            Token("bos_token", ClipText.Markers[0]), Token("eos_token", ClipText.Markers[1]),
            Token("pad_token", ClipText.Markers[1]), Token("unk_token", ClipText.Markers[1]), added);

        string Token(string key, string fallback)
        {
            var source = map?.Has(key) == true ? map : config;
            if (source.Find(key) is not { } value) return fallback;
            return Content(value) is { Length: > 0 } token ? token
                : throw source.Wrong(key, "a token: text, or an object with 'content' whose 'single_word' is not true");
        }
    }

    /// <summary>A token's text, or null where it has another form.</summary>
    internal static string? TextOf(JsonElement token) => Content(token);

    // A token is text or {"content": text, …}. Its lstrip and rstrip have no effect, since cleaning drops white space at both ends anyway;
    // single_word would change the result, is used by no CLIP tokenizer, and is rejected.
    private static string? Content(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object when value.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
            && !(value.TryGetProperty("single_word", out var single) && single.ValueKind == JsonValueKind.True) => content.GetString(),
        _ => null,
    };
}
