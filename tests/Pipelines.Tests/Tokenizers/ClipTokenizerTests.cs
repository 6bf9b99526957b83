using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

public sealed class ClipTokenizerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Encode_ShortPrompt_OpensClosesAndPads()
    {
        var tokenizer = Load();
        var tokens = tokenizer.Encode("The RED   cat's dog");
        Assert.Equal("<|startoftext|> the</w> red</w> cat</w> 's</w> dog</w> <|endoftext|>", string.Join(' ', tokens.Pieces));
        Assert.Equal(10, tokens.Ids.Length);
        Assert.Equal(7, tokens.Count);
        Assert.All(tokens.Ids[6..], id => Assert.Equal(tokenizer.EosTokenId, id));
        Assert.Null(tokens.CutText);
        Assert.Null(tokens.Warning);
    }

    [Fact]
    public void Encode_PromptTooLong_QuotesWhatWasCut()
    {
        var tokens = Load().Encode("the cat the dog the red dog the cat the Red é!");
        Assert.Equal(10, tokens.Count);
        Assert.Equal(6, tokens.CutCount); // é is two bytes without a merge
        Assert.Equal("cat the red é !", tokens.CutText);
        Assert.Contains("16 tokens", tokens.Warning, StringComparison.Ordinal);
        Assert.Contains("\"cat the red é !\"", tokens.Warning, StringComparison.Ordinal);
        Assert.Equal(9, Array.IndexOf(tokens.Ids, Load().EosTokenId));
    }

    [Fact]
    public void Encode_PaddingTokenInThePrompt_IsThatTokenAndSplitsTheTextAroundIt()
    {
        var tokenizer = Load(SyntheticTokenizer.Config.Replace("\"pad_token\": \"<|endoftext|>\"", "\"pad_token\": \"!\"",
            StringComparison.Ordinal));
        var tokens = tokenizer.Encode("cat!!dog");
        Assert.Equal("<|startoftext|> cat</w> ! ! dog</w> <|endoftext|>", string.Join(' ', tokens.Pieces));
        Assert.Equal(tokenizer.PadTokenId, tokens.Ids[^1]);
    }

    [Fact]
    public void Load_SpecialTokensMap_OverridesTheConfigurationUnlessThatListsAddedTokens()
    {
        folder.Write("special_tokens_map.json", """{"pad_token": {"content": "!", "lstrip": false}}""");
        var tokenizer = Load();
        Assert.Equal(tokenizer.EncodeAll("!").Single(), tokenizer.PadTokenId);

        tokenizer = Load("""{"model_max_length": 8, "pad_token": "<|endoftext|>", "added_tokens_decoder": {"9000": {"content": "<style>", "special": true}}}""");
        Assert.Equal(tokenizer.EosTokenId, tokenizer.PadTokenId);
        Assert.Equal("cat</w> <style> dog</w>", string.Join(' ', tokenizer.Encode("cat<style>dog").Pieces.Skip(1).SkipLast(1)));
        Assert.Contains(9000, tokenizer.Encode("cat<style>dog").Ids);
    }

    [Fact]
    public void Encode_ByteThatTheVocabularyLacks_IsTheUnknownToken()
    {
        var vocabulary = SyntheticTokenizer.Vocabulary();
        vocabulary.Remove("z</w>");
        SyntheticTokenizer.Write(folder, vocabulary: vocabulary);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Equal([tokenizer.EosTokenId], tokenizer.EncodeAll("z"));
        Assert.Equal([vocabulary["z"], vocabulary["a</w>"]], tokenizer.EncodeAll("za"));
    }

    [Fact]
    public void Encode_ManyThreads_GiveTheSameIds()
    {
        var tokenizer = Load();
        int[] expected = tokenizer.Encode("the red cat's dog, the cat").Ids;
        Parallel.For(0, 200, _ => Assert.Equal(expected, tokenizer.Encode("the red cat's dog, the cat").Ids));
    }

    [Theory]
    [InlineData(2, 3)] // legacy configurations: the first of the largest ids
    [InlineData(9, 3)]
    [InlineData(5, 1)]
    [InlineData(77, 0)] // absent
    public void EndPosition_ByEosTokenId_IsTheExpectedOne(int eosTokenId, int expected) =>
        Assert.Equal(expected, PromptTokens.EndPosition([8, 5, 7, 9, 9, 9], eosTokenId));

    [Theory]
    [InlineData("tokenizer_config.json", "{}", "'model_max_length' is missing")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 1}""", "must be from 2 to")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 77, "pad_token": 3}""", "'pad_token' is 3")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 77, "pad_token": "[PAD]"}""", "special token '[PAD]'")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 77, "bos_token": {"content": "a", "single_word": true}}""", "single_word")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 77, "added_tokens_decoder": {"x": "y"}}""", "keys are token ids")]
    [InlineData("tokenizer_config.json", """{"model_max_length": 77, "added_tokens_decoder": {"3": "new"}}""", "does not fit")]
    [InlineData("vocab.json", "[1]", "must be an object")]
    [InlineData("vocab.json", """{"a": "b"}""", "must be an integer")]
    [InlineData("vocab.json", """{"a": -1}""", "id -1")]
    [InlineData("vocab.json", """{"a": 1, "b": 1}""", "'a' and to 'b'")]
    [InlineData("vocab.json", """{"a": 1}""", "lacks")]
    [InlineData("merges.txt", "c a\n", "first line")]
    [InlineData("merges.txt", "#version: 0.2\nca\n", "line 2 is 'ca'")]
    [InlineData("merges.txt", "#version: 0.2\nc a\nq z\n", "line 3, 'q z', needs the piece 'qz'")]
    [InlineData("merges.txt", "#version: 0.2\nc a\nc a\n", "line 3, 'c a', occurs twice")]
    public void Load_DamagedFile_SaysWhichAndWhy(string file, string content, string reason)
    {
        SyntheticTokenizer.Write(folder);
        folder.Write(file, content);
        var error = Assert.Throws<ModelFileException>(() => ClipTokenizer.Load(folder.Path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_config.json")]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    public void Load_FileMissing_SaysWhich(string file)
    {
        SyntheticTokenizer.Write(folder);
        File.Delete(Path.Combine(folder.Path, file));
        Assert.Contains(file, Assert.Throws<ModelFileException>(() => ClipTokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private ClipTokenizer Load(string config = SyntheticTokenizer.Config)
    {
        SyntheticTokenizer.Write(folder, config);
        return ClipTokenizer.Load(folder.Path);
    }
}
