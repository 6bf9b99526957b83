using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Damaged autoencoder configurations, or of other models: each is refused with file, key and value.</summary>
public sealed class VaeConfigTests
{
    [Theory]
    [InlineData("block_out_channels", "[]")]
    [InlineData("block_out_channels", "[32, 64]")]
    [InlineData("block_out_channels", "[32, 32, 64, 65]")]
    [InlineData("block_out_channels", "[32, 32, 64, -64]")]
    [InlineData("block_out_channels", "[32, 32, 64, 2147483616]")]
    [InlineData("block_out_channels", "32")]
    [InlineData("block_out_channels", "null")]
    [InlineData("down_block_types", "[\"DownEncoderBlock2D\"]")]
    [InlineData("down_block_types", "[\"AttnDownEncoderBlock2D\",\"DownEncoderBlock2D\",\"DownEncoderBlock2D\",\"DownEncoderBlock2D\"]")]
    [InlineData("up_block_types", "[\"UpDecoderBlock2D\",\"UpDecoderBlock2D\",\"UpDecoderBlock2D\",7]")]
    [InlineData("latent_channels", "0")]
    [InlineData("latent_channels", "null")]
    [InlineData("latent_channels", "2147483647")]
    [InlineData("layers_per_block", "1000000000")]
    [InlineData("layers_per_block", "0")]
    [InlineData("norm_num_groups", "0")]
    [InlineData("norm_num_groups", "7")]
    [InlineData("scaling_factor", "0")]
    [InlineData("scaling_factor", "\"0.18\"")]
    [InlineData("scaling_factor", "1e999")]
    [InlineData("shift_factor", "[0.1]")]
    [InlineData("act_fn", "\"relu\"")]
    [InlineData("in_channels", "-3")]
    [InlineData("out_channels", "3.5")]
    [InlineData("sample_size", "0")]
    [InlineData("use_quant_conv", "1")]
    [InlineData("mid_block_add_attention", "\"yes\"")]
    [InlineData("latents_mean", "[1, 2, 3]")]
    [InlineData("latents_std", "[1, 2, 3, \"4\"]")]
    public void Constructor_BadValue_NamesFileAndKey(string key, string value)
    {
        var config = ModelConfig.Load(Path.Combine(Golden.Folder("tiny-sdxl/vae"), "config.json"))
            .With([new(key, JsonDocument.Parse(value).RootElement)]);

        var e = Assert.Throws<ModelFileException>(() => new AutoencoderKL(config));

        Assert.Contains("config.json", e.Message, StringComparison.Ordinal);
        // there the error names the other of two values
        string named = key == "norm_num_groups" && value == "7" || key == "block_out_channels" && value == "[32, 64]" ? "" : $"'{key}'";
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512, 0.25, 8, 48, 16)]
    [InlineData(64, 0.25, 1, 6, 2)]
    [InlineData(64, 0.5, 1, 4, 4)]
    [InlineData(64, 0.0, 1, 8, 0)]
    [InlineData(1024, 0.25, 16, 96, 32)]
    public void Tiling_SizeAndOverlap_GiveStepAndBlendInWholeLatents(int pixels, double overlap, int eighths, int step, int blend)
    {
        var tiling = new TileGrid(pixels, overlap, 8);
        Assert.Equal(new TileGrid.Side(eighths * 8, step, blend), tiling.Latents);
        Assert.Equal(new TileGrid.Side(pixels, step * 8, blend * 8), tiling.Pixels);
    }

    [Theory]
    [InlineData(60, 0.25)]
    [InlineData(72, 0.25)]
    [InlineData(64, 1.0)]
    [InlineData(64, -0.25)]
    [InlineData(64, double.NaN)]
    [InlineData(4, 0.25)]
    [InlineData(0, 0.25)]
    [InlineData(-64, 0.25)]
    public void Tiling_TilesThatDoNotMeet_SaysWhatWould(int pixels, double overlap) =>
        Assert.Contains("Try ", Assert.Throws<ArgumentException>(() => new TileGrid(pixels, overlap, 8)).Message,
            StringComparison.Ordinal);
}
