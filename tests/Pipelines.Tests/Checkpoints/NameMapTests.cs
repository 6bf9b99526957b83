using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Names of published files, written down one by one, in both directions.</summary>
public class NameMapTests
{
    [Theory]
    [InlineData("time_embed.0.weight", "time_embedding.linear_1.weight")]
    [InlineData("label_emb.0.2.bias", "add_embedding.linear_2.bias")]
    [InlineData("input_blocks.0.0.weight", "conv_in.weight")]
    [InlineData("input_blocks.2.0.in_layers.2.weight", "down_blocks.0.resnets.1.conv1.weight")]
    [InlineData("input_blocks.3.0.op.bias", "down_blocks.0.downsamplers.0.conv.bias")]
    [InlineData("input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight")]
    [InlineData("input_blocks.8.1.transformer_blocks.9.attn2.to_out.0.weight",
        "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0.weight")]
    [InlineData("middle_block.0.emb_layers.1.weight", "mid_block.resnets.0.time_emb_proj.weight")]
    [InlineData("middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight")]
    [InlineData("middle_block.2.out_layers.3.bias", "mid_block.resnets.1.conv2.bias")]
    [InlineData("output_blocks.2.2.conv.weight", "up_blocks.0.upsamplers.0.conv.weight")]
    [InlineData("output_blocks.5.1.norm.weight", "up_blocks.1.attentions.2.norm.weight")]
    [InlineData("output_blocks.8.0.out_layers.0.weight", "up_blocks.2.resnets.2.norm2.weight")]
    [InlineData("out.0.bias", "conv_norm_out.bias")]
    [InlineData("out.2.weight", "conv_out.weight")]
    public void UNetNames_OfXl_AreThePublishedOnes(string original, string diffusers) =>
        Both(OriginalFile.UNet(OriginalFile.Published("stable-diffusion-xl-base-1.0", "unet")), original, diffusers, TensorForm.Whole);

    [Theory]
    [InlineData("input_blocks.11.0.in_layers.0.weight", "down_blocks.3.resnets.1.norm1.weight")]
    [InlineData("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight")]
    [InlineData("output_blocks.8.2.conv.weight", "up_blocks.2.upsamplers.0.conv.weight")]
    [InlineData("output_blocks.11.0.skip_connection.weight", "up_blocks.3.resnets.2.conv_shortcut.weight")]
    public void UNetNames_OfOne_AreThePublishedOnes(string original, string diffusers) =>
        Both(OriginalFile.UNet(OriginalFile.Published("stable-diffusion-v1-5", "unet")), original, diffusers, TensorForm.Whole);

    [Theory]
    [InlineData("encoder.down.1.block.0.nin_shortcut.weight", "encoder.down_blocks.1.resnets.0.conv_shortcut.weight")]
    [InlineData("encoder.down.2.downsample.conv.bias", "encoder.down_blocks.2.downsamplers.0.conv.bias")]
    [InlineData("encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight")]
    [InlineData("decoder.mid.attn_1.q.weight", "decoder.mid_block.attentions.0.to_q.weight", "OnePixel")]
    [InlineData("decoder.mid.attn_1.proj_out.weight", "decoder.mid_block.attentions.0.to_out.0.weight", "OnePixel")]
    [InlineData("decoder.mid.block_2.conv1.weight", "decoder.mid_block.resnets.1.conv1.weight")]
    [InlineData("decoder.up.3.block.0.norm1.weight", "decoder.up_blocks.0.resnets.0.norm1.weight")]
    [InlineData("decoder.up.0.block.2.conv2.weight", "decoder.up_blocks.3.resnets.2.conv2.weight")]
    [InlineData("decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight")]
    [InlineData("decoder.norm_out.bias", "decoder.conv_norm_out.bias")]
    [InlineData("post_quant_conv.weight", "post_quant_conv.weight")]
    public void AutoencoderNames_OfOne_AreThePublishedOnes(string original, string diffusers, string form = "Whole") => Both(
        OriginalFile.Autoencoder(OriginalFile.Published("stable-diffusion-v1-5", "vae")), original, diffusers,
        Enum.Parse<TensorForm>(form));

    [Theory]
    [InlineData("positional_embedding", "text_model.embeddings.position_embedding.weight")]
    [InlineData("token_embedding.weight", "text_model.embeddings.token_embedding.weight")]
    [InlineData("transformer.resblocks.31.ln_2.bias", "text_model.encoder.layers.31.layer_norm2.bias")]
    [InlineData("transformer.resblocks.0.mlp.c_proj.weight", "text_model.encoder.layers.0.mlp.fc2.weight")]
    [InlineData("transformer.resblocks.0.attn.in_proj_weight", "text_model.encoder.layers.0.self_attn.q_proj.weight", "FirstThird")]
    [InlineData("transformer.resblocks.0.attn.in_proj_weight", "text_model.encoder.layers.0.self_attn.k_proj.weight", "SecondThird")]
    [InlineData("transformer.resblocks.0.attn.in_proj_bias", "text_model.encoder.layers.0.self_attn.v_proj.bias", "LastThird")]
    [InlineData("ln_final.weight", "text_model.final_layer_norm.weight")]
    [InlineData("text_projection", "text_projection.weight", "Transposed")]
    public void TextEncoderNames_OpenClip_AreThePublishedOnes(string original, string diffusers, string form = "Whole") =>
        Both(TextEncoderNames.OpenClip(32, projection: true, 32), original, diffusers, Enum.Parse<TensorForm>(form));

    [Theory]
    [InlineData("embeddings.position_embedding.weight"), InlineData("encoder.layers.11.self_attn.q_proj.bias"),
        InlineData("final_layer_norm.weight")]
    public void TextEncoderNames_OldClip_LackTheModelsName(string name)
    {
        var old = OriginalFile.Table("old", [(name, Compute.Tensors.Shape.Create([1]))]);
        Both(TextEncoderNames.Clip(old), name, $"text_model.{name}", TensorForm.Whole);
        var published = OriginalFile.Table("new", [($"text_model.{name}", Compute.Tensors.Shape.Create([1]))]);
        Both(TextEncoderNames.Clip(published), $"text_model.{name}", $"text_model.{name}", TensorForm.Whole);
    }

    [Theory]
    [InlineData("logit_scale"), InlineData("transformer.resblocks.23.attn.in_proj_weight"), InlineData("text_projection")]
    public void IsUnused_WhatNoModelUses_IsTrue(string original)
    {
        var map = TextEncoderNames.OpenClip(23, projection: false, stored: 24);
        Assert.Empty(map.ToDiffusers(original));
        Assert.True(map.IsUnused(original));
        Assert.False(map.IsUnused("transformer.resblocks.22.attn.in_proj_weight"));
    }

    [Theory]
    [InlineData("input_blocks.9.0.in_layers.2.weight"), InlineData("input_blocks.1.0.in_layers.1.weight"), InlineData("input_blocks.1"),
        InlineData(""), InlineData("."), InlineData("input_blocks..0"), InlineData("zero_convs.0.0.weight")]
    public void ToDiffusers_UnknownName_GivesNone(string original) =>
        Assert.Empty(OriginalFile.UNet(OriginalFile.Published("stable-diffusion-xl-base-1.0", "unet")).ToDiffusers(original));

    private static void Both(NameMap map, string original, string diffusers, TensorForm form)
    {
        Assert.Contains((diffusers, form), map.ToDiffusers(original));
        Assert.Equal((original, form), map.ToOriginal(diffusers));
    }
}
