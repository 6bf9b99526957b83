using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>CLIP's vocabulary in the library is CLIP's.</summary>
public class PackagedVocabularyTests
{
    private const int Most = 1 << 24;

    [Fact]
    public void Read_Vocabulary_EqualsThePublishedFiles()
    {
        string published = Golden.Folder("tokenizers/clip-vit-l");
        Assert.True(File.ReadAllBytes(Path.Combine(published, "merges.txt")).AsSpan()
            .SequenceEqual(PackagedVocabulary.ClipL.Read("merges.txt", Most)));
        var (expected, actual) = (ModelConfig.Load(Path.Combine(published, "vocab.json")),
            ModelConfig.Load(PackagedVocabulary.ClipL, "vocab.json"));
        Assert.Equal(49408, actual.Keys.Count);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected.Keys, piece => Assert.Equal(expected.Int(piece), actual.Int(piece)));
    }

    [Fact]
    public void Load_Packaged_GivesKnownIds()
    {
        var (first, second) = (ClipTokenizer.Load(PackagedVocabulary.ClipL), ClipTokenizer.Load(PackagedVocabulary.OpenClip));
        Assert.Equal((49408, 77, 49406, 49407, 49407), (first.VocabularySize, first.ModelMaxLength, first.BosTokenId, first.EosTokenId,
            first.PadTokenId));
        Assert.Equal((49408, 77, 49406, 49407, 0), (second.VocabularySize, second.ModelMaxLength, second.BosTokenId, second.EosTokenId,
            second.PadTokenId));
        Assert.Equal([320, 1125, 539, 550, 18376, 6765, 320, 4558], first.EncodeAll("a photo of an astronaut riding a horse"));
    }

    [Fact]
    public void Encode_EveryRecordedPrompt_GivesTheRecordedIds()
    {
        var (first, second) = (ClipTokenizer.Load(PackagedVocabulary.ClipL), ClipTokenizer.Load(PackagedVocabulary.OpenClip));
        int compared = 0;
        foreach (var recorded in ClipTokenizerGoldenTests.Recorded())
        {
            string prompt = recorded.GetProperty("prompt").GetString()!;
            ClipTokenizerGoldenTests.Equal(recorded, "ids_77_pad_endoftext", first.Encode(prompt).Ids);
            ClipTokenizerGoldenTests.Equal(recorded, "ids_77_pad_zero", second.Encode(prompt).Ids);
            compared++;
        }

        Assert.Equal(75, compared);
    }

    [Fact]
    public void TokenizerOf_NamedFolder_ComesFirst()
    {
        using var folder = new TemporaryFolder();
        string file = OriginalFile.Write(Path.Combine(folder.Path, "m.safetensors"), Golden.Folder("tiny-sdxl"),
            OriginalFile.Layout("Stable Diffusion XL base"));
        Assert.Same(PackagedVocabulary.ClipL, ModelSource.Open(file).TokenizerOf("tokenizer"));
        Assert.Same(PackagedVocabulary.OpenClip, ModelSource.Open(file).TokenizerOf("tokenizer_2"));
        string one = SyntheticFolder(folder, "one"), both = Path.Combine(folder.Path, "both");
        SyntheticFolder(folder, "both/tokenizer");
        SyntheticFolder(folder, "both/tokenizer_2");
        Assert.Equal(one, Named(one, "tokenizer_2").Location);
        Assert.Equal(Path.Combine(both, "tokenizer_2"), Named(both, "tokenizer_2").Location);
        Assert.Equal(Path.Combine(both, "tokenizer"), ModelSource.Open(file, new ModelSourceOptions { ConfigFolder = both })
            .TokenizerOf("tokenizer").Location);
        var inFolder = ModelSource.Open(Golden.Folder("tiny-sdxl"), new ModelSourceOptions { TokenizerFolder = one, ConfigFolder = both });
        Assert.Equal(one, inFolder.TokenizerOf("tokenizer_2").Location);
        Assert.Equal("UNet2DConditionModel", inFolder.ConfigOf("unet").String("_class_name"));
        Assert.Contains("has no tokenizer", Assert.Throws<ModelFileException>(() => Named(folder.Path, "tokenizer")).Message,
            StringComparison.Ordinal);
        Assert.Contains("has no component 'tokenizer_3'",
            Assert.Throws<ModelFileException>(() => ModelSource.Open(file).TokenizerOf("tokenizer_3")).Message, StringComparison.Ordinal);

        ITokenizerFiles Named(string named, string name) =>
            ModelSource.Open(file, new ModelSourceOptions { TokenizerFolder = named }).TokenizerOf(name);
    }

    private static string SyntheticFolder(TemporaryFolder folder, string name)
    {
        string path = Directory.CreateDirectory(Path.Combine(folder.Path, name)).FullName;
        File.WriteAllText(Path.Combine(path, "vocab.json"), "{}");
        return path;
    }
}
