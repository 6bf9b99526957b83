using System.Text.Json.Nodes;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// Configurations that follow from the shapes of weights under diffusers' names. What shapes cannot tell (the size of images, the scale of
/// latents, an activation) are the traits of a <see cref="SingleFileComponent"/>.
/// </summary>
internal static class ImpliedConfigs
{
    /// <summary>Width of an attention head in CLIP's encoders and in the UNets of SD 2.x and SDXL.</summary>
    public const int HeadWidth = 64;

    /// <summary>A UNet2DConditionModel.</summary>
    /// <param name="t">Its tensors.</param>
    /// <param name="heads">Heads at every level; null for heads of <see cref="HeadWidth"/> channels.</param>
    public static JsonObject UNet(TensorTable t, int? heads)
    {
        int levels = t.Count("down_blocks");
        int[] all = [.. Enumerable.Range(0, levels)], channels = [.. all.Select(i => t.Size($"down_blocks.{i}.resnets.0.conv1.weight", 0))];
        var config = new JsonObject
        {
            ["_class_name"] = "UNet2DConditionModel",
            ["in_channels"] = t.Size("conv_in.weight", 1),
            ["out_channels"] = t.Size("conv_out.weight", 0),
            ["block_out_channels"] = List(channels),
            ["layers_per_block"] = t.Count("down_blocks.0.resnets"),
            ["down_block_types"] = Texts(all.Select(i => Attends($"down_blocks.{i}") ? "CrossAttnDownBlock2D" : "DownBlock2D")),
            ["up_block_types"] = Texts(all.Select(i => Attends($"up_blocks.{i}") ? "CrossAttnUpBlock2D" : "UpBlock2D")),
            ["mid_block_type"] = Attends("mid_block") ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D",
            ["transformer_layers_per_block"] = Depths(),
            ["cross_attention_dim"] = t.Size(Attention("attn2.to_k.weight"), 1),
            ["use_linear_projection"] = t.Find(Attention("proj_in.weight"))?.Rank == 2,
            ["attention_head_dim"] = heads is { } fixedHeads ? fixedHeads
                : List(channels.Select(width => Heads(t, "attention_head_dim", width))),
        };
        if (t.Size("time_embedding.linear_1.weight", 0) is var time && time != 4 * channels[0]) config["time_embedding_dim"] = time;
        if (!t.Has("add_embedding.linear_1.weight")) return config;
        config["addition_embed_type"] = "text_time";
        config["addition_time_embed_dim"] = 256;
        config["projection_class_embeddings_input_dim"] = t.Size("add_embedding.linear_1.weight", 1);
        return config;

        bool Attends(string block) => t.HasGroup($"{block}.attentions");

        // One number where all are equal; in a list, the last is the middle block's too.
        JsonNode Depths()
        {
            int mid = Depth("mid_block");
            int[] down = [.. all.Select(i => Depth($"down_blocks.{i}"))], used = [.. down.Append(mid).Where(d => d > 0).Distinct()];
            if (used.Length < 2) return used.FirstOrDefault(1);
            if (down[^1] != mid && down[^1] > 0 && mid > 0) throw Untold(t, "transformer_layers_per_block",
                $"the last transformers have {down[^1]} blocks, the middle one {mid}");
            return List(down.Select((depth, i) => depth > 0 ? depth : i == levels - 1 && mid > 0 ? mid : 1));
        }

        int Depth(string block)
        {
            int[] depths = [.. Enumerable.Range(0, t.Count($"{block}.attentions"))
                .Select(i => t.Count($"{block}.attentions.{i}.transformer_blocks")).Distinct()];
            return depths.Length < 2 ? depths.FirstOrDefault() : throw Untold(t, "transformer_layers_per_block",
                $"the transformers of {block} have {string.Join(" and ", depths)} blocks");
        }

        string Attention(string tensor)
        {
            string block = all.Where(i => Attends($"down_blocks.{i}")).Select(i => $"down_blocks.{i}").FirstOrDefault("mid_block");
            return $"{block}.attentions.0.{(tensor.StartsWith("proj", StringComparison.Ordinal) ? "" : "transformer_blocks.0.")}{tensor}";
        }
    }

    /// <summary>An AutoencoderKL.</summary>
    /// <param name="t">Its tensors.</param>
    public static JsonObject Autoencoder(TensorTable t)
    {
        int levels = t.Count("encoder.down_blocks");
        return new JsonObject
        {
            ["_class_name"] = "AutoencoderKL",
            ["in_channels"] = t.Size("encoder.conv_in.weight", 1),
            ["out_channels"] = t.Size("decoder.conv_out.weight", 0),
            ["latent_channels"] = t.Size("decoder.conv_in.weight", 1),
            ["block_out_channels"] = List(Enumerable.Range(0, levels).Select(i =>
                t.Size($"encoder.down_blocks.{i}.resnets.0.conv1.weight", 0))),
            ["layers_per_block"] = t.Count("encoder.down_blocks.0.resnets"),
            ["down_block_types"] = Texts(Enumerable.Repeat("DownEncoderBlock2D", levels)),
            ["up_block_types"] = Texts(Enumerable.Repeat("UpDecoderBlock2D", levels)),
            ["mid_block_add_attention"] = t.HasGroup("decoder.mid_block.attentions"),
            ["use_quant_conv"] = t.Has("quant_conv.weight"),
            ["use_post_quant_conv"] = t.Has("post_quant_conv.weight"),
        };
    }

    /// <summary>A CLIPTextModel, or a CLIPTextModelWithProjection where there is a projection.</summary>
    /// <param name="t">Its tensors.</param>
    public static JsonObject TextEncoder(TensorTable t)
    {
        const string Embeddings = "text_model.embeddings.", Layers = "text_model.encoder.layers";
        int width = t.Size($"{Embeddings}token_embedding.weight", 1);
        bool projects = t.Has("text_projection.weight");
        return new JsonObject
        {
            ["model_type"] = "clip_text_model",
            ["architectures"] = Texts([projects ? "CLIPTextModelWithProjection" : "CLIPTextModel"]),
            ["vocab_size"] = t.Size($"{Embeddings}token_embedding.weight", 0),
            ["max_position_embeddings"] = t.Size($"{Embeddings}position_embedding.weight", 0),
            ["hidden_size"] = width,
            ["intermediate_size"] = t.Size($"{Layers}.0.mlp.fc1.weight", 0),
            ["num_hidden_layers"] = t.Count(Layers),
            ["num_attention_heads"] = Heads(t, "num_attention_heads", width),
            ["layer_norm_eps"] = 1e-5,
            ["projection_dim"] = projects ? t.Size("text_projection.weight", 0) : width,
            ["eos_token_id"] = 2, // as published: the last token is found by its id, the largest
        };
    }

    private static int Heads(TensorTable t, string key, int width) => width % HeadWidth == 0 && width > 0 ? width / HeadWidth
        : throw Untold(t, key, $"{width} channels are no multiple of {HeadWidth}, the width of a head in published models");

    private static ModelFileException Untold(TensorTable t, string key, string reason) =>
        new(t.File, $"the shapes do not tell '{key}': {reason}. Name a folder with the model's configurations in diffusers' "
            + "layout (ConfigFolder).")
        { Key = key };

    private static JsonArray List(IEnumerable<int> values) => [.. values.Select(value => (JsonNode)value)];

    private static JsonArray Texts(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
