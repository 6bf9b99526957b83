using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// Options of diffusers' UNet2DConditionModel that change the result and have one supported value here. Other values are rejected: ignoring
/// them would generate wrong images.
/// </summary>
internal static class UNet2DUnsupported
{
    // null is listed only where Python treats None like false or like an absent option.
    private static readonly (string Key, string[] Supported)[] Options =
    [
        ("_class_name", ["\"UNet2DConditionModel\"", "\"FlaxUNet2DConditionModel\""]),
        ("act_fn", ["\"silu\"", "\"swish\""]), // two names of one function
        ("addition_embed_type", ["\"text_time\"", "null"]),
        ("attention_type", ["\"default\"", "null"]),
        ("center_input_sample", ["false", "null"]),
        ("class_embed_type", ["null"]),
        ("class_embeddings_concat", ["false", "null"]),
        ("cross_attention_norm", ["null"]),
        ("dual_cross_attention", ["false", "null"]),
        ("encoder_hid_dim", ["null"]),
        ("encoder_hid_dim_type", ["null"]),
        ("mid_block_only_cross_attention", ["false", "null"]),
        ("mid_block_scale_factor", ["1", "1.0"]),
        ("num_attention_heads", ["null"]),
        ("num_class_embeds", ["null"]),
        ("only_cross_attention", ["false"]),
        ("quantization_config", ["null"]),
        ("resnet_out_scale_factor", ["1", "1.0"]),
        ("resnet_skip_time_act", ["false", "null"]),
        ("resnet_time_scale_shift", ["\"default\""]),
        ("time_cond_proj_dim", ["null"]),
        ("time_embedding_act_fn", ["null"]),
        ("time_embedding_type", ["\"positional\""]),
        ("timestep_post_act", ["null"]),
    ];

    /// <exception cref="ModelFileException">An option has a value that is not supported; the message names key and value.</exception>
    public static void Check(ModelConfig file)
    {
        foreach (var (key, supported) in Options)
            if ((file.Find(key) is { } value ? Text(value) : file.IsNull(key) ? "null" : null) is { } found && !supported.Contains(found))
                throw file.Wrong(key, string.Join(" or ", supported) + ": other forms of the UNet are not supported");
    }

    /// <summary>Text of a value; a list of equal values is equivalent to the value.</summary>
    private static string Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) return value.GetRawText();
        string[] entries = [.. value.EnumerateArray().Select(e => e.GetRawText()).Distinct()];
        return entries.Length == 1 ? entries[0] : value.GetRawText();
    }
}
