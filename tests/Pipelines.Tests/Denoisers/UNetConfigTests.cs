using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Unsupported, incomplete or damaged configurations give an error that names file, key and value, never another exception.
/// </summary>
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
    [InlineData("mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\"")]
    [InlineData("quantization_config", "{}")]
    [InlineData("act_fn", "null")]
    [InlineData("only_cross_attention", "null")]
    [InlineData("resnet_time_scale_shift", "null")]
    [InlineData("mid_block_scale_factor", "null")]
    [InlineData("time_embedding_type", "null")]
    [InlineData("num_attention_heads", "8")]
    [InlineData("num_class_embeds", "1000")]
    [InlineData("only_cross_attention", "[false,false,true]")]
    [InlineData("resnet_out_scale_factor", "0.7")]
    [InlineData("resnet_skip_time_act", "true")]
    [InlineData("resnet_time_scale_shift", "\"scale_shift\"")]
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
    [InlineData("transformer_layers_per_block", "null")]
    [InlineData("reverse_transformer_layers_per_block", "[1,1]")]
    [InlineData("reverse_transformer_layers_per_block", "[[1,2],1,1]")] // of three transformers
    [InlineData("reverse_transformer_layers_per_block", "[\"1\",1,1]")]
    [InlineData("norm_num_groups", "null")]
    [InlineData("layers_per_block", "null")]
    [InlineData("downsample_padding", "null")]
    [InlineData("cross_attention_dim", "null")]
    [InlineData("freq_shift", "null")]
    [InlineData("sample_size", "[16,0]")]
    [InlineData("sample_size", "[16,16,16]")]
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
        Assert.Contains("'down_block_types' is [\"DownBlock2D\",\"CrossAttnDownBlock2D\",\"CrossAttnDownBlock2D\"]; it must be a list of 2",
            Assert.Throws<ModelFileException>(() => Build(config)).Message);
    }

    [Theory]
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
    [InlineData("in_channels")]
    [InlineData("out_channels")]
    [InlineData("layers_per_block")]
    [InlineData("attention_head_dim")]
    [InlineData("cross_attention_dim")]
    [InlineData("norm_num_groups")]
    [InlineData("norm_eps")]
    [InlineData("freq_shift")]
    [InlineData("flip_sin_to_cos")]
    [InlineData("downsample_padding")]
    public void New_KeyAbsent_HasDiffusersDefault(string key)
    {
        var config = Config();
        config.Remove(key);
        Assert.NotEmpty(Build(config).Parameters);
    }

    [Fact]
    public void New_NothingButTheClass_IsDiffusersDefaultModel()
    {
        var unet = Build(new JsonObject { ["_class_name"] = "UNet2DConditionModel" });
        Assert.Equal(["[320, 4, 3, 3]", "[1280, 320]"],
            unet.Parameters.Where(p => p.Path is "conv_in.weight" or "time_embedding.linear_1.weight").Select(p => p.Shape.ToString()));
        Assert.Equal(686, unet.Parameters.Count()); // as many as SD 1.x, which keeps every other default
    }

    [Theory]
    [InlineData("center_input_sample", "null")]
    [InlineData("dual_cross_attention", "null")]
    [InlineData("use_linear_projection", "true")]
    [InlineData("upcast_attention", "null")]
    [InlineData("attention_type", "null")]
    [InlineData("time_embedding_dim", "null")]
    [InlineData("sample_size", "null")]
    [InlineData("sample_size", "[16,24]")]
    [InlineData("cross_attention_dim", "[80,80,80]")]
    [InlineData("only_cross_attention", "[false,false,false]")]
    [InlineData("act_fn", "\"swish\"")]
    [InlineData("transformer_layers_per_block", "[1,1,2]")]
    [InlineData("down_block_types", "[\"UNetResDownBlock2D\",\"UNetResCrossAttnDownBlock2D\",\"CrossAttnDownBlock2D\"]")]
    public void New_EveryFormOfAValue_IsTaken(string key, string value)
    {
        string[] before = Parameters(Config());
        var config = Config();
        config[key] = JsonNode.Parse(value);
        Assert.Equal(before, Parameters(config));
    }

    [Theory]
    [InlineData("use_linear_projection", "null", "down_blocks.1.attentions.0.proj_in.weight", "[64, 64, 1, 1]")] // Python's None is false
    [InlineData("time_embedding_dim", "48", "time_embedding.linear_1.weight", "[48, 32]")]
    public void New_Value_Changes(string key, string value, string parameter, string shape)
    {
        var config = Config();
        config[key] = JsonNode.Parse(value);
        Assert.Equal(shape, Build(config).Parameters.Single(p => p.Path == parameter).Shape.ToString());
    }

    [Theory]
    [InlineData("null", 0, 0)]
    [InlineData("\"UNetMidBlock2D\"", 1, 0)]
    [InlineData("\"UNetMidBlock2DCrossAttn\"", 2, 1)]
    public void New_MidBlock_IsWhatTheFileSays(string type, int resnets, int attentions)
    {
        var config = Config();
        config["mid_block_type"] = JsonNode.Parse(type);
        var unet = Build(config);
        Assert.Equal(resnets, unet.Parameters.Count(p =>
            p.Path.StartsWith("mid_block.resnets", StringComparison.Ordinal) && p.Path.EndsWith("conv1.weight", StringComparison.Ordinal)));
        Assert.Equal(attentions, unet.Parameters.Count(p =>
            p.Path.StartsWith("mid_block.attentions", StringComparison.Ordinal)
                && p.Path.EndsWith("proj_in.weight", StringComparison.Ordinal)));
        Assert.Equal("Float32[batch, height, width, 4]", unet.Trace(6).Outputs["sample"].Type.ToString());
    }

    [Fact]
    public void New_TransformerLayersInLists_AreThoseOfEachTransformer()
    {
        var config = Config();
        config["transformer_layers_per_block"] = JsonNode.Parse("[1,[2,1],[4,3]]");
        config["reverse_transformer_layers_per_block"] = JsonNode.Parse("[[4,4,5],[2,1,1],1]");
        var unet = Build(config);
        int Blocks(string transformer) =>
            unet.Parameters.Count(p =>
                p.Path.StartsWith(transformer + ".transformer_blocks.", StringComparison.Ordinal)
                    && p.Path.EndsWith("norm1.weight", StringComparison.Ordinal));
        Assert.Equal([2, 1, 4, 3, 4, 4, 4, 5, 2, 1, 1],
            new[] { "down_blocks.1.attentions.0", "down_blocks.1.attentions.1", "down_blocks.2.attentions.0", "down_blocks.2.attentions.1",
                "mid_block.attentions.0",
                "up_blocks.0.attentions.0", "up_blocks.0.attentions.1", "up_blocks.0.attentions.2", "up_blocks.1.attentions.0",
                    "up_blocks.1.attentions.1", "up_blocks.1.attentions.2" }.Select(Blocks));
        Assert.Equal("Float32[batch, height, width, 4]", unet.Trace(6).Outputs["sample"].Type.ToString());
    }

    [Fact]
    public void New_MillionsOfLayersInFewBytes_AreRefusedBeforeAnythingIsBuilt()
    {
        string types(string name) => "[" + string.Join(",", Enumerable.Repeat($"\"{name}\"", 16)) + "]";
        var config = JsonNode.Parse($$"""
            {"block_out_channels":[{{string.Join(",", Enumerable.Repeat(32, 16))}}],"down_block_types":{{types("CrossAttnDownBlock2D")}},"up_block_types":{{types("CrossAttnUpBlock2D")}},
             "layers_per_block":256,"transformer_layers_per_block":256,"attention_head_dim":1}
            """)!.AsObject();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("at most 65536 are supported", Assert.Throws<ModelFileException>(() => Build(config)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
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

        int Count(string prefix) =>
            unet.Parameters.Count(p =>
                p.Path.StartsWith(prefix, StringComparison.Ordinal) && p.Path.EndsWith("conv1.weight", StringComparison.Ordinal));
        Assert.Equal([1, 2, 3, 4, 3, 2],
            new[] { "down_blocks.0", "down_blocks.1", "down_blocks.2", "up_blocks.0", "up_blocks.1", "up_blocks.2" }.Select(Count));
        Assert.Equal(Shape.Create([32, 4, 5, 5]), unet.Parameters.First(p => p.Path == "conv_in.weight").Shape);
        Assert.Equal("Float32[batch, height, width, 4]", unet.Trace(6).Outputs["sample"].Type.ToString());
    }

    [Fact]
    public void New_RandomDamage_GivesAModelOrACleanError()
    {
        JsonNode?[] values = [null, true, -1, 0, 1, 2, 3, 7, 64, 1e9, int.MaxValue, 1.5, 1e-300, "", "silu", "DownBlock2D", new JsonArray(),
            new JsonArray(1, 2, 3), new JsonArray("x"), new JsonArray(new JsonArray()), new JsonObject()];
        string[] keys = [.. Config().Select(p => p.Key)];
        var random = new Random(7);
        int models = 0, errors = 0;
        for (int round = 0; round < 3000; round++)
        {
            var config = Config();
            for (int change = random.Next(1, 4); change > 0; change--)
                config[keys[random.Next(keys.Length)]] = values[random.Next(values.Length)]?.DeepClone();
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

        Assert.True(models > 100 && errors > 100, $"{models} models, {errors} errors: there must be enough of both.");
    }

    private static void AssertRefused(string key, string value)
    {
        var config = Config();
        config[key] = JsonNode.Parse(value);
        var e = Assert.Throws<ModelFileException>(() => Build(config));
        Assert.Contains("test/config.json", e.Message);
        Assert.Contains($"'{key}' is {value}; it must be", e.Message);
    }

    private static string[] Parameters(JsonObject config) => [.. Build(config).Parameters.Select(p => $"{p.Path} {p.Shape}")];

    private static JsonObject Config() =>
        JsonNode.Parse(File.ReadAllBytes(Path.Combine(Golden.Folder("tiny-sdxl/unet"), "config.json")))!.AsObject();

    private static UNet2DConditionModel Build(JsonObject config) =>
        new(ModelConfig.Parse(Encoding.UTF8.GetBytes(config.ToJsonString(new JsonSerializerOptions())), "test/config.json"));
}
