using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// The files of CLIP's tokenizer from the library itself, for models that come without one. The merges are stored; the vocabulary follows
/// from them: all bytes, all bytes at the end of a word, what each merge gives, and the two markers. Licence: Vocabulary/LICENSE.txt.
/// </summary>
/// <param name="pad">The padding token: the end marker for CLIP ViT-L, <c>!</c> for OpenCLIP's encoders.</param>
internal sealed class PackagedVocabulary(string pad) : ITokenizerFiles
{
    private const string Merges = "merges.txt", Vocabulary = "vocab.json", Config = "tokenizer_config.json";
    private const int Positions = 77;
    private static readonly Lazy<byte[]> Text = new(Unpack);

    /// <summary>The tokenizer of CLIP ViT-L: SD 1.x and SDXL's first.</summary>
    public static PackagedVocabulary ClipL { get; } = new(ClipText.Markers[1]);

    /// <summary>The tokenizer of OpenCLIP's encoders: SD 2.x and SDXL's second.</summary>
    public static PackagedVocabulary OpenClip { get; } = new("!");

    /// <inheritdoc/>
    public string Location => "CLIP's vocabulary in the library";

    /// <inheritdoc/>
    public bool Has(string name) => name is Merges or Vocabulary or Config;

    /// <inheritdoc/>
    public string PathOf(string name) => $"{Location}, {name}";

    /// <inheritdoc/>
    public byte[] Read(string name, int most) => name switch
    {
        Merges => Text.Value,
        Vocabulary => JsonOf(Pieces().Select((piece, id) => KeyValuePair.Create(piece, id))),
        Config => Encoding.UTF8.GetBytes($$"""{"model_max_length": {{Positions}}, "pad_token": "{{pad}}"}"""),
        _ => throw new ModelFileException(PathOf(name), "the file does not exist."),
    };

    /// <summary>All pieces in the order of their ids.</summary>
    private static IEnumerable<string> Pieces()
    {
        // The bytes that stand for themselves come before those that are moved to U+0100 and above.
        string[] bytes = [.. ClipVocabulary.CharOfByte.Order().Select(c => c.ToString())];
        string[] merges = Encoding.UTF8.GetString(Text.Value).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
        return bytes.Concat(bytes.Select(c => c + "</w>")).Concat(merges.Select(line => line.Replace(" ", "", StringComparison.Ordinal)))
            .Concat(ClipText.Markers);
    }

    private static byte[] JsonOf(IEnumerable<KeyValuePair<string, int>> ids)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var (piece, id) in ids) writer.WriteNumber(piece, id);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static byte[] Unpack()
    {
        using var packed = typeof(PackagedVocabulary).Assembly.GetManifestResourceStream("clip-merges.txt.gz")!;
        using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        using var all = new MemoryStream();
        unpacked.CopyTo(all);
        return all.ToArray();
    }
}
