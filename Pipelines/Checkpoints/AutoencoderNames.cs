namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>The autoencoder of the original latent diffusion repositories; its decoder counts levels from the finest.</summary>
internal static class AutoencoderNames
{
    /// <summary>What the names of the autoencoder begin with in a file of a whole model.</summary>
    public const string Prefix = "first_stage_model.";

    private static readonly NameMap Resnet = new([new("", ""), new("nin_shortcut", "conv_shortcut")]);

    private static readonly NameMap Attention = new(
    [
        new("norm", "group_norm"), new("q", "to_q", Form: TensorForm.OnePixel), new("k", "to_k", Form: TensorForm.OnePixel),
        new("v", "to_v", Form: TensorForm.OnePixel), new("proj_out", "to_out.0", Form: TensorForm.OnePixel),
    ]);

    /// <summary>The map of a file's autoencoder, whose form shows in its names.</summary>
    public static NameMap Of(TensorTable original) => Of(Math.Max(original.Count("encoder.down"), original.Count("decoder.up")),
        Math.Max(original.Count("encoder.down.0.block"), original.Count("decoder.up.0.block") - 1));

    /// <summary>The map of an autoencoder of this form.</summary>
    /// <param name="levels">Number of resolutions.</param>
    /// <param name="layers">ResNet blocks of a level of the encoder; the decoder has one more.</param>
    public static NameMap Of(int levels, int layers)
    {
        List<NameRule> rules = [new("quant_conv", "quant_conv"), new("post_quant_conv", "post_quant_conv")];
        foreach (string half in (string[])["encoder", "decoder"])
        {
            rules.Add(new($"{half}.conv_in", $"{half}.conv_in"));
            rules.Add(new($"{half}.norm_out", $"{half}.conv_norm_out"));
            rules.Add(new($"{half}.conv_out", $"{half}.conv_out"));
            rules.Add(new($"{half}.mid.block_1", $"{half}.mid_block.resnets.0", Resnet));
            rules.Add(new($"{half}.mid.block_2", $"{half}.mid_block.resnets.1", Resnet));
            rules.Add(new($"{half}.mid.attn_1", $"{half}.mid_block.attentions.0", Attention));
        }

        for (int level = 0; level < levels; level++)
        {
            int up = levels - 1 - level;
            rules.Add(new($"encoder.down.{level}.downsample", $"encoder.down_blocks.{level}.downsamplers.0"));
            rules.Add(new($"decoder.up.{up}.upsample", $"decoder.up_blocks.{level}.upsamplers.0"));
            for (int layer = 0; layer < layers; layer++)
                rules.Add(new($"encoder.down.{level}.block.{layer}", $"encoder.down_blocks.{level}.resnets.{layer}", Resnet));
            for (int layer = 0; layer <= layers; layer++)
                rules.Add(new($"decoder.up.{up}.block.{layer}", $"decoder.up_blocks.{level}.resnets.{layer}", Resnet));
        }

        // Left by the training: the perceptual loss with its discriminator, and a moving average.
        return new NameMap(rules, "loss", "model_ema");
    }
}
