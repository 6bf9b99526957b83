using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Damaged text encoder configurations, or of other models: each is refused with file, key and value.</summary>
public sealed class ClipConfigTests
{
    [Theory]
    [InlineData("hidden_size", "0")]
    [InlineData("hidden_size", "-4")]
    [InlineData("hidden_size", "33")]
    [InlineData("hidden_size", "2147483647")]
    [InlineData("hidden_size", "1e400")]
    [InlineData("hidden_size", "\"32\"")]
    [InlineData("hidden_size", "null")]
    [InlineData("num_attention_heads", "0")]
    [InlineData("num_attention_heads", "[4]")]
    [InlineData("num_hidden_layers", "2000000000")]
    [InlineData("num_hidden_layers", "0")]
    [InlineData("vocab_size", "-1")]
    [InlineData("vocab_size", "99999999999")]
    [InlineData("intermediate_size", "0.5")]
    [InlineData("max_position_embeddings", "0")]
    [InlineData("layer_norm_eps", "0")]
    [InlineData("layer_norm_eps", "-1e-5")]
    [InlineData("layer_norm_eps", "\"small\"")]
    [InlineData("hidden_act", "\"tanhish\"")]
    [InlineData("hidden_act", "3")]
    [InlineData("projection_dim", "0")]
    [InlineData("eos_token_id", "true")]
    [InlineData("architectures", "[\"T5EncoderModel\"]")]
    [InlineData("architectures", "[]")]
    [InlineData("architectures", "\"CLIPTextModelWithProjection\"")]
    public void Constructor_BadValue_NamesFileAndKey(string key, string value)
    {
        var config = Valid().With([new(key, JsonDocument.Parse(value).RootElement)]);

        var e = Assert.Throws<ModelFileException>(() => new ClipTextModel(config));

        Assert.Contains("config.json", e.Message, StringComparison.Ordinal);
        Assert.Contains($"'{key}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_ArchitecturesAbsent_TheCallerDecides()
    {
        var config = Valid().With([new("architectures", JsonDocument.Parse("null").RootElement)]);

        Assert.Null(new ClipTextModel(config, withProjection: false).Projection);
        Assert.NotNull(new ClipTextModel(config, withProjection: true).Projection);
        Assert.Throws<ModelFileException>(() => new ClipTextModel(config));
    }

    private static ModelConfig Valid() => ModelConfig.Load(Path.Combine(Golden.Folder("tiny-sdxl/text_encoder_2"), "config.json"));
}
