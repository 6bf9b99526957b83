using System.Text.Encodings.Web;
using System.Text.Json;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A generated tokenizer folder: every byte with and without end of word, a few merges, the two markers.</summary>
internal static class SyntheticTokenizer
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly string[] Merges = ["c a", "ca t</w>", "d o", "do g</w>", "t h", "th e</w>", "a t</w>", "r e", "re d</w>",
        "' s</w>", "c at</w>"];

    public const string Config =
        """{"model_max_length": 10, "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}""";

    public static Dictionary<string, int> Vocabulary()
    {
        var bytes = new List<string>();
        int next = 256;
        for (int value = 0; value < 256; value++)
            bytes.Add(((char)(value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255) ? value : next++)).ToString());
        string[] merged = [.. Merges.Select(line => line.Replace(" ", "", StringComparison.Ordinal)).Distinct()];
        return ((string[])[.. bytes, .. bytes.Select(b => b + "</w>"), .. merged, "<|startoftext|>", "<|endoftext|>"])
            .Select((piece, id) => (piece, id)).ToDictionary(p => p.piece, p => p.id);
    }

    public static void Write(TemporaryFolder folder, string config = Config, Dictionary<string, int>? vocabulary = null) =>
        Write(folder.Path, config, vocabulary);

    public static void Write(string folder, string config, Dictionary<string, int>? vocabulary = null)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(vocabulary ?? Vocabulary(), Plain));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n" + string.Join('\n', Merges) + "\n");
    }
}
