using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Damaged vocabularies either load and encode, or give an error that names the file.</summary>
public sealed class ClipTokenizerFuzzTests : IDisposable
{
    private static readonly string[] Prompts = ["", "the red cat's dog!", "Été 日本 😀 <|endoftext|> 42"];
    private static readonly string[] Snippets =
        ["\"", "{", "}", ":", ",", " ", "\n", "\\", "\\u0000", "\\ud800", "null", "-1", "1e999", "99999999999", "[]", "{}", "#", "</w>",
            "\u0000", "ÿ"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("vocab.json", 2500)]
    [InlineData("merges.txt", 2500)]
    [InlineData("tokenizer_config.json", 1000)]
    public void Load_MutatedFile_LoadsOrSaysWhatIsWrong(string file, int rounds)
    {
        // A smaller alphabet than the real one, so that loading is quick and some bytes are missing in the vocabulary.
        var vocabulary = SyntheticTokenizer.Vocabulary()
            .Where(p => p.Key.Length > 1 || char.IsAsciiLetterOrDigit(p.Key[0]) || "!'".Contains(p.Key[0], StringComparison.Ordinal))
            .Where(p => p.Key.Length != 5 || p.Key[0] < 128).ToDictionary();
        SyntheticTokenizer.Write(folder, vocabulary: vocabulary);
        string path = Path.Combine(folder.Path, file);
        byte[] good = File.ReadAllBytes(path);
        int loaded = 0, refused = 0;
        for (int seed = 0; seed < rounds; seed++)
        {
            File.WriteAllBytes(path, Mutate(good, new Random(seed)));
            try
            {
                var tokenizer = ClipTokenizer.Load(folder.Path);
                foreach (string prompt in Prompts) Assert.Equal(tokenizer.ModelMaxLength, tokenizer.Encode(prompt).Ids.Length);
                loaded++;
            }
            catch (ModelFileException e)
            {
                Assert.Contains(folder.Path, e.Message, StringComparison.Ordinal);
                refused++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{file}, seed {seed}: {e}");
            }
        }

        Assert.True(refused > rounds / 20 && loaded > 0, $"{loaded} loaded and {refused} refused: there must be enough of both.");
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = good.ToList();
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            int at = random.Next(bytes.Count + 1), length = Math.Min(random.Next(1, 1 << random.Next(1, 8)), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes.RemoveRange(at, length); break;
                case 1: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length)); break;
                case 2: bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Snippets[random.Next(Snippets.Length)])); break;
                case 3 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 4 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 5 when random.Next(8) == 0: bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes.Insert(at, (byte)random.Next(32, 127)); break;
            }
        }

        return [.. bytes];
    }
}
