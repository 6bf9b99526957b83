using System.Text.Json;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// Options of diffusers' UNet2DConditionModel that change what is computed and have one supported value here. A file that asks for another one is
/// refused: ignoring it would draw a wrong picture.
/// </summary>
internal static class UNet2DUnsupported
{
    private static readonly (string Key, string[] Supported)[] Options =
    [
        ("_class_name", ["\"UNet2DConditionModel\""]),
        ("act_fn", ["\"silu\"", "\"swish\""]), // two names of one function
        ("addition_embed_type", ["\"text_time\""]),
        ("attention_type", ["\"default\""]),
        ("center_input_sample", ["false"]),
        ("class_embed_type", []),
        ("class_embeddings_concat", ["false"]),
        ("cross_attention_norm", []),
        ("dual_cross_attention", ["false"]),
        ("encoder_hid_dim", []),
        ("encoder_hid_dim_type", []),
        ("mid_block_only_cross_attention", ["false"]),
        ("mid_block_scale_factor", ["1", "1.0"]),
        ("mid_block_type", ["\"UNetMidBlock2DCrossAttn\""]),
        ("num_attention_heads", []),
        ("num_class_embeds", []),
        ("only_cross_attention", ["false"]),
        ("resnet_out_scale_factor", ["1", "1.0"]),
        ("resnet_skip_time_act", ["false"]),
        ("resnet_time_scale_shift", ["\"default\""]),
        ("reverse_transformer_layers_per_block", []),
        ("time_cond_proj_dim", []),
        ("time_embedding_act_fn", []),
        ("time_embedding_type", ["\"positional\""]),
        ("timestep_post_act", []),
    ];

    /// <exception cref="ModelFileException">An option has a value that is not supported; the message names key and value.</exception>
    public static void Check(ModelConfig file)
    {
        foreach (var (key, supported) in Options)
            if (file.Find(key) is { } value && !supported.Contains(Text(value)))
                throw file.Wrong(key, string.Join(" or ", [.. supported, "null"]) + ": this engine has no other form of the UNet");
    }

    /// <summary>A list of equal values means the same as the value.</summary>
    private static string Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) return value.GetRawText();
        string[] entries = [.. value.EnumerateArray().Select(e => e.GetRawText()).Distinct()];
        return entries.Length == 1 ? entries[0] : value.GetRawText();
    }
}
