using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Ids recorded from transformers' slow CLIPTokenizer, with the real vocabulary and with the tiny models' reduced ones.</summary>
public class ClipTokenizerGoldenTests
{
    [Fact]
    public void Encode_EveryRecordedPrompt_GivesTheRecordedIds()
    {
        var tokenizer = ClipTokenizer.Load(Golden.Folder("tokenizers/clip-vit-l"));
        var prompts = Recorded();
        Assert.Equal(75, prompts.Length);
        foreach (var recorded in prompts)
        {
            string prompt = recorded.GetProperty("prompt").GetString()!;
            int[] all = [tokenizer.BosTokenId, .. tokenizer.EncodeAll(prompt), tokenizer.EosTokenId];
            Equal(recorded, "ids_untruncated", all);
            var tokens = tokenizer.Encode(prompt);
            Equal(recorded, "ids_77_pad_endoftext", tokens.Ids);
            Assert.Equal(recorded.GetProperty("n_real_77").GetInt32(), tokens.Count);
            Assert.Equal(all.Length - tokens.Count, tokens.CutCount);
            Assert.Equal(tokens.CutCount > 0, tokens.CutText is not null);
            Assert.Equal(recorded.GetProperty("decoded").GetString()!.Trim(), tokenizer.Decode(all).Trim());
        }
    }

    [Fact]
    public void Encode_PaddingTokenOfTheSecondTokenizer_GivesTheRecordedIds()
    {
        using var folder = new TemporaryFolder();
        foreach (string file in (string[])["clip-vit-l/vocab.json", "clip-vit-l/merges.txt", "clip-bigg/tokenizer_config.json",
            "clip-bigg/special_tokens_map.json"])
            File.Copy(Golden.Folder("tokenizers/" + file), Path.Combine(folder.Path, Path.GetFileName(file)));
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Equal(0, tokenizer.PadTokenId);
        foreach (var recorded in Recorded())
            Equal(recorded, "ids_77_pad_zero", tokenizer.Encode(recorded.GetProperty("prompt").GetString()!).Ids);
    }

    [Theory]
    [InlineData("tiny-sdxl/tokenizer", "tiny-sdxl-goldens/text_encoder")]
    [InlineData("tiny-sdxl/tokenizer_2", "tiny-sdxl-goldens/text_encoder_2")]
    [InlineData("tiny-sd15/tokenizer", "tiny-sd15-goldens/text_encoder")]
    [InlineData("tiny-sd21-v/tokenizer", "tiny-sd21-v-goldens/text_encoder")]
    public void Encode_TinyModels_GivesTheTextEncodersRecordedInput(string folder, string set)
    {
        // The subset inside the repository has the folder without the vocabulary.
        var tokenizer = ClipTokenizer.Load(Path.GetDirectoryName(Golden.Folder(folder + "/vocab.json"))!);
        int compared = 0;
        foreach (var recorded in Golden.Open(set).Cases)
        {
            if (recorded.Params.ValueKind != JsonValueKind.Object || !recorded.Params.TryGetProperty("prompts", out var prompts)) continue;
            int length = recorded.InputShape("input_ids").Last;
            var ids = new List<long>();
            foreach (var prompt in prompts.EnumerateArray())
            {
                var tokens = tokenizer.Encode(prompt.GetString()!);
                ids.AddRange(tokens.Ids.Take(length).Select(id => (long)id)); // one case was recorded without padding
                compared++;
            }

            Assert.Equal(recorded.InputLongs("input_ids"), ids);
        }

        Assert.True(compared > 0);
    }

    internal static JsonElement[] Recorded() =>
        [.. JsonDocument.Parse(File.ReadAllBytes(Golden.Folder("tokenizers/clip_tokens.json"))).RootElement.GetProperty("prompts")
            .EnumerateArray()];

    internal static void Equal(JsonElement recorded, string key, IEnumerable<int> actual)
    {
        string expected = string.Join(' ', recorded.GetProperty(key).EnumerateArray().Select(id => id.GetInt32()));
        Assert.True(expected == string.Join(' ', actual),
            $"{key} of {recorded.GetProperty("prompt")}: expected {expected}, actual {string.Join(' ', actual)}");
    }
}
