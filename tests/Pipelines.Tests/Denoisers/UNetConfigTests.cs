using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Configurations that are unsupported, incomplete or damaged: an error that names file, key and value, never another exception.</summary>
public class UNetConfigTests
{
    [Theory]
    [InlineData("_class_name", "\"FluxTransformer2DModel\"")]
    [InlineData("act_fn", "\"mish\"")]
    [InlineData("addition_embed_type", "\"image\"")]
    [InlineData("addition_embed_type", "7")]
    [InlineData("attention_type", "\"gated\"")]
    [InlineData("center_input_sample", "true")]
    [InlineData("class_embed_type", "\"timestep\"")]
    [InlineData("class_embeddings_concat", "true")]
    [InlineData("cross_attention_norm", "\"layer_norm\"")]
    [InlineData("dual_cross_attention", "true")]
    [InlineData("encoder_hid_dim", "1024")]
    [InlineData("encoder_hid_dim_type", "\"text_proj\"")]
    [InlineData("mid_block_only_cross_attention", "true")]
    [InlineData("mid_block_scale_factor", "1.5")]
    [InlineData("mid_block_type", "\"UNetMidBlock2D\"")]
    [InlineData("num_attention_heads", "8")]
    [InlineData("num_class_embeds", "1000")]
    [InlineData("only_cross_attention", "[false,false,true]")]
    [InlineData("resnet_out_scale_factor", "0.7")]
    [InlineData("resnet_skip_time_act", "true")]
    [InlineData("resnet_time_scale_shift", "\"scale_shift\"")]
    [InlineData("reverse_transformer_layers_per_block", "[1,2,1]")]
    [InlineData("time_cond_proj_dim", "256")]
    [InlineData("time_embedding_act_fn", "\"silu\"")]
    [InlineData("time_embedding_type", "\"fourier\"")]
    [InlineData("timestep_post_act", "\"silu\"")]
    [InlineData("down_block_types", "[\"DownBlock2D\",\"CrossAttnDownBlock2D\",\"SimpleCrossAttnDownBlock2D\"]")]
    [InlineData("up_block_types", "[\"CrossAttnUpBlock2D\",\"CrossAttnUpBlock2D\",\"AttnUpBlock2D\"]")]
    public void New_UnsupportedOption_NamesKeyAndValue(string key, string value) => AssertRefused(key, value);

    [Theory]
    [InlineData("attention_head_dim", "0")]
    [InlineData("attention_head_dim", "[1,0,2]")]
    [InlineData("attention_head_dim", "[1,4]")]
    [InlineData("attention_head_dim", "[1,5,2]")] // 64 channels, 5 heads
    [InlineData("attention_head_dim", "[]")]
    [InlineData("attention_head_dim", "\"8\"")]
    [InlineData("block_out_channels", "[]")]
    [InlineData("block_out_channels", "64")]
    [InlineData("block_out_channels", "[32,64,48]")] // 32 groups
    [InlineData("block_out_channels", "[32,64,-64]")]
    [InlineData("block_out_channels", "[32,64,2147483616]")]
    [InlineData("block_out_channels", "[32,64,99999999999]")]
    [InlineData("down_block_types", "[]")]
    [InlineData("down_block_types", "\"DownBlock2D\"")]
    [InlineData("up_block_types", "[\"UpBlock2D\"]")]
    [InlineData("layers_per_block", "0")]
    [InlineData("layers_per_block", "1000000000")]
    [InlineData("layers_per_block", "[2,2]")]
    [InlineData("layers_per_block", "2.5")]
    [InlineData("transformer_layers_per_block", "-1")]
    [InlineData("transformer_layers_per_block", "[1,1]")]
    [InlineData("transformer_layers_per_block", "[[1],[1],[2]]")]
    [InlineData("cross_attention_dim", "0")]
    [InlineData("cross_attention_dim", "[80,80,40]")]
    [InlineData("in_channels", "0")]
    [InlineData("out_channels", "-4")]
    [InlineData("sample_size", "0")]
    [InlineData("conv_in_kernel", "2")]
    [InlineData("conv_out_kernel", "-3")]
    [InlineData("downsample_padding", "2")]
    [InlineData("norm_num_groups", "0")]
    [InlineData("norm_eps", "-1e-5")]
    [InlineData("norm_eps", "\"tiny\"")]
    [InlineData("freq_shift", "16")] // half of 32 channels: a division by zero
    [InlineData("flip_sin_to_cos", "1")]
    [InlineData("use_linear_projection", "\"yes\"")]
    [InlineData("upcast_attention", "1")]
    [InlineData("time_embedding_dim", "0")]
    [InlineData("addition_time_embed_dim", "0")]
    [InlineData("projection_class_embeddings_input_dim", "8")]
    [InlineData("projection_class_embeddings_input_dim", "2000000000")]
    public void New_UnusableValue_IsRefused(string key, string value) => AssertRefused(key, value);

    [Fact]
    public void New_ListsOfDifferentLengths_NamesOne()
    {
        var config = Config();
        config["block_out_channels"] = new JsonArray(32, 64);
        Assert.Contains("'down_block_types' is [\"DownBlock2D\",\"CrossAttnDownBlock2D\",\"CrossAttnDownBlock2D\"]; it must be a list of 2", Assert.Throws<ModelFileException>(() => Build(config)).Message);
    }

    [Theory]
    [InlineData("block_out_channels")]
    [InlineData("in_channels")]
    [InlineData("out_channels")]
    [InlineData("down_block_types")]
    [InlineData("up_block_types")]
    [InlineData("layers_per_block")]
    [InlineData("attention_head_dim")]
    [InlineData("cross_attention_dim")]
    [InlineData("norm_num_groups")]
    [InlineData("norm_eps")]
    [InlineData("freq_shift")]
    [InlineData("flip_sin_to_cos")]
    [InlineData("downsample_padding")]
    [InlineData("addition_time_embed_dim")]
    [InlineData("projection_class_embeddings_input_dim")]
    public void New_KeyAbsent_IsRefused(string key)
    {
        var config = Config();
        config.Remove(key);
        Assert.Contains($"'{key}' is missing", Assert.Throws<ModelFileException>(() => Build(config)).Message);
    }

    [Theory]
    [InlineData("conv_in_kernel")]
    [InlineData("transformer_layers_per_block")]
    [InlineData("use_linear_projection")]
    [InlineData("sample_size")]
    [InlineData("mid_block_type")]
    [InlineData("addition_embed_type")]
    public void New_KeyThatOlderFilesLack_HasItsDefault(string key)
    {
        var config = Config();
        config.Remove(key);
        Assert.NotEmpty(Build(config).Parameters);
    }

    [Fact]
    public void New_NumbersPerBlock_AreUsed()
    {
        var config = Config();
        config["layers_per_block"] = new JsonArray(1, 2, 3);
        config["cross_attention_dim"] = new JsonArray(80, 80, 80);
        config["downsample_padding"] = 0;
        config["conv_in_kernel"] = 5;
        config["only_cross_attention"] = new JsonArray(false, false, false);

        var unet = Build(config);

        int Count(string prefix) => unet.Parameters.Count(p => p.Path.StartsWith(prefix, StringComparison.Ordinal) && p.Path.EndsWith("conv1.weight", StringComparison.Ordinal));
        Assert.Equal([1, 2, 3, 4, 3, 2], new[] { "down_blocks.0", "down_blocks.1", "down_blocks.2", "up_blocks.0", "up_blocks.1", "up_blocks.2" }.Select(Count));
        Assert.Equal(Shape.Create([32, 4, 5, 5]), unet.Parameters.First(p => p.Path == "conv_in.weight").Shape);
        Assert.Equal("Float32[batch, height, width, 4]", unet.Trace(6).Outputs["sample"].Type.ToString());
    }

    [Fact]
    public void New_RandomDamage_GivesAModelOrACleanError()
    {
        JsonNode?[] values = [null, true, -1, 0, 1, 2, 3, 7, 64, 1e9, int.MaxValue, 1.5, 1e-300, "", "silu", "DownBlock2D", new JsonArray(), new JsonArray(1, 2, 3), new JsonArray("x"), new JsonArray(new JsonArray()), new JsonObject()];
        string[] keys = [.. Config().Select(p => p.Key)];
        var random = new Random(7);
        int models = 0, errors = 0;
        for (int round = 0; round < 3000; round++)
        {
            var config = Config();
            for (int change = random.Next(1, 4); change > 0; change--) config[keys[random.Next(keys.Length)]] = values[random.Next(values.Length)]?.DeepClone();
            try
            {
                var unet = Build(config);
                if (unet.HasAddedConditions) unet.Trace(1);
                else unet.Trace();
                models++;
            }
            catch (ModelFileException)
            {
                errors++;
            }
        }

        Assert.True(models > 100 && errors > 100, $"{models} models, {errors} errors: one side is hardly tested.");
    }

    private static void AssertRefused(string key, string value)
    {
        var config = Config();
        config[key] = JsonNode.Parse(value);
        var e = Assert.Throws<ModelFileException>(() => Build(config));
        Assert.Contains("test/config.json", e.Message);
        Assert.Contains($"'{key}' is {value}; it must be", e.Message);
    }

    private static JsonObject Config() => JsonNode.Parse(File.ReadAllBytes(Path.Combine(Golden.Folder("tiny-sdxl/unet"), "config.json")))!.AsObject();

    private static UNet2DConditionModel Build(JsonObject config) =>
        new(ModelConfig.Parse(Encoding.UTF8.GetBytes(config.ToJsonString(new JsonSerializerOptions())), "test/config.json"));
}
