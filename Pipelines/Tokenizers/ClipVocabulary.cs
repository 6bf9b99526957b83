using System.Text;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.ML.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// vocab.json (piece → id) and merges.txt (pairs of pieces, the earliest joined first), checked so that encoding never gives an unknown
/// piece. A piece spells bytes: each byte is one printable character, and a word's last piece ends in <c>&lt;/w&gt;</c>.
/// </summary>
internal sealed class ClipVocabulary
{
    /// <summary>The largest id accepted; a real vocabulary has 49,408.</summary>
    public const int MaxId = (1 << 24) - 1;

    private const string EndOfWord = "</w>";
    private const int MaxMergesBytes = 16 << 20;

    // CLIP's merges.txt goes on after these; its vocabulary does not: 49,152 less 512 bytes with and without end of word, less the 2
    // markers.
    private const int MaxMerges = 49152 - 256 - 2;

    /// <summary>The character that stands for each byte.</summary>
    public static readonly char[] CharOfByte = MakeBytes();

    private readonly Dictionary<int, string> pieces;
    private readonly BpeTokenizer merger;

    private ClipVocabulary(Dictionary<string, int> ids, Dictionary<int, string> pieces, BpeTokenizer merger) =>
        (Ids, this.pieces, this.merger) = (ids, pieces, merger);

    /// <summary>Piece → id, with the added tokens.</summary>
    public IReadOnlyDictionary<string, int> Ids { get; }

    /// <summary>Reads and checks both files of a tokenizer folder.</summary>
    /// <param name="files">The tokenizer's files.</param>
    /// <param name="special">Its special and added tokens.</param>
    /// <param name="json">Replaces both files; null where they exist.</param>
    /// <exception cref="ModelFileException">A file is missing or damaged, or the two do not match; the message names piece or
    /// line.</exception>
    public static ClipVocabulary Load(ITokenizerFiles files, ClipSpecialTokens special, TokenizerJson? json = null)
    {
        var vocabulary = json?.Vocabulary ?? ModelConfig.Load(files, "vocab.json");
        var ids = new Dictionary<string, int>(vocabulary.Keys.Count);
        var pieces = new Dictionary<int, string>(vocabulary.Keys.Count);
        foreach (string piece in vocabulary.Keys)
        {
            int id = vocabulary.Int(piece);
            if (piece.Length == 0 || id is < 0 or > MaxId)
                throw new ModelFileException(vocabulary.File,
                    $"the piece '{piece}' has id {id}; it must have a name and an id from 0 to {MaxId}.");
            if (!pieces.TryAdd(id, piece))
                throw new ModelFileException(vocabulary.File,
                    $"id {id} belongs to '{pieces[id]}' and to '{piece}'; it must belong to one piece.");
            ids.Add(piece, id);
        }

        string path = json?.File ?? files.PathOf("merges.txt");
        var merges = json is null ? ReadMerges(files, path, ids) : Checked(path, "merge", 1, json.Merges, ids);
        foreach (var (token, id) in special.Added)
        {
            if (ids.TryGetValue(token, out int known) ? known != id : !pieces.TryAdd(id, token))
                throw new ModelFileException(files.Location,
                    $"the added token '{token}' has id {id}, which does not fit {vocabulary.File}.");
            ids[token] = id;
        }

        foreach (string token in (string[])[special.Bos, special.Eos, special.Pad, special.Unknown])
            if (!ids.ContainsKey(token))
                throw new ModelFileException(vocabulary.File,
                    $"the special token '{token}' that the configuration names is not in the vocabulary.");

        try
        {
            var merger = BpeTokenizer.Create(
                new BpeOptions(ids) { Merges = merges, EndOfWordSuffix = EndOfWord, ByteLevel = true, UnknownToken = special.Unknown });
            return new ClipVocabulary(ids, pieces, merger);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ModelFileException(path, $"does not fit {vocabulary.File} ({e.Message})", e);
        }
    }

    /// <summary>Ids of one word's pieces.</summary>
    public IReadOnlyList<int> Encode(string word) => merger.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false);

    /// <summary>The piece with this id, or null.</summary>
    public string? PieceOf(int id) => pieces.GetValueOrDefault(id);

    /// <summary>The text that pieces spell: bytes read as UTF-8 (U+FFFD where they are not), each end of word a space.</summary>
    public static string Text(IEnumerable<string> pieces)
    {
        var bytes = new List<byte>();
        foreach (char c in string.Concat(pieces))
        {
            int value = Array.IndexOf(CharOfByte, c);
            if (value >= 0) bytes.Add((byte)value);
            else bytes.AddRange(Encoding.UTF8.GetBytes([c]));
        }

        return Encoding.UTF8.GetString([.. bytes]).Replace(EndOfWord, " ", StringComparison.Ordinal);
    }

    private static List<string> ReadMerges(ITokenizerFiles files, string path, Dictionary<string, int> ids)
    {
        string[] lines = ReadText(files, path).Trim().Split('\n');
        if (!lines[0].StartsWith("#version", StringComparison.Ordinal))
            throw new ModelFileException(path, $"begins with '{Short(lines[0])}'; the first line must be '#version: …'.");
        return Checked(path, "line", 2, lines.Skip(1).Take(MaxMerges).Select(line => line.TrimEnd('\r')), ids);
    }

    /// <summary>The merges, after checks that each joins two known pieces into a known one and occurs once.</summary>
    private static List<string> Checked(string path, string unit, int first, IEnumerable<string> lines, Dictionary<string, int> ids)
    {
        var merges = new List<string>();
        var seen = new HashSet<string>();
        foreach (string line in lines)
        {
            int number = first + merges.Count;
            if (line.Split(' ') is not [{ Length: > 0 } left, { Length: > 0 } right])
                throw new ModelFileException(path, $"{unit} {number} is '{Short(line)}'; it must be two pieces with a space between.");
            foreach (string piece in (string[])[left, right, left + right])
                if (!ids.ContainsKey(piece))
                    throw new ModelFileException(path,
                        $"{unit} {number}, '{Short(line)}', needs the piece '{Short(piece)}', which the vocabulary lacks.");
            if (!seen.Add(line)) throw new ModelFileException(path, $"{unit} {number}, '{Short(line)}', occurs twice.");
            merges.Add(line);
        }

        return merges;
    }

    private static string ReadText(ITokenizerFiles files, string path)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)
                .GetString(files.Read("merges.txt", MaxMergesBytes));
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(path, $"cannot be read ({e.Message})", e);
        }
    }

    private static string Short(string text) => text.Length > 60 ? text[..60] + "…" : text;

    // The printable bytes of Latin-1 stand for themselves, the others for U+0100 and up in order: merges.txt is split at spaces and line
    // ends.
    private static char[] MakeBytes()
    {
        var map = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
            map[value] = value is (>= '!' and <= '~') or (>= '¡' and <= '¬') or (>= '®' and <= 'ÿ') ? (char)value : (char)next++;
        return map;
    }
}
