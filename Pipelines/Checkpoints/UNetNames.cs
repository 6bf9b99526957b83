namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// The UNet of the original latent diffusion repositories (ldm, sgm): one list of blocks down and one up, where diffusers nests them by
/// resolution.
/// </summary>
internal static class UNetNames
{
    /// <summary>What the names of the UNet begin with in a file of a whole model.</summary>
    public const string Prefix = "model.diffusion_model.";

    private static readonly NameMap Resnet = new(
    [
        new("in_layers.0", "norm1"), new("in_layers.2", "conv1"), new("emb_layers.1", "time_emb_proj"),
        new("out_layers.0", "norm2"), new("out_layers.3", "conv2"), new("skip_connection", "conv_shortcut"),
    ]);

    /// <summary>The number of channels that the UNet of a whole model's file takes; null where there is none.</summary>
    public static int? InChannels(TensorTable file) =>
        file.Find($"{Prefix}input_blocks.0.0.weight") is { Rank: 4 } shape ? shape[1] : null;

    /// <summary>The map of a file's UNet, whose form shows in its names.</summary>
    public static NameMap Of(TensorTable original)
    {
        // A block that halves the resolution ends each level but the last; the first block of the list is the first convolution.
        int blocks = original.Count("input_blocks"), layers = 0;
        while (layers + 1 < blocks && !original.HasGroup($"input_blocks.{layers + 1}.0.op")) layers++;
        int levels = Math.Max(1, blocks / (layers + 1));
        return Of(layers,
            [.. Enumerable.Range(0, levels).Select(level => original.HasGroup($"output_blocks.{level * (layers + 1)}.1.norm"))]);
    }

    /// <summary>The map of a UNet of this form.</summary>
    /// <param name="layers">ResNet blocks of a level on the way down; there is one more on the way up.</param>
    /// <param name="upAttention">For each level on the way up, coarsest first, whether it has attention.</param>
    public static NameMap Of(int layers, bool[] upAttention)
    {
        List<NameRule> rules =
        [
            new("time_embed.0", "time_embedding.linear_1"), new("time_embed.2", "time_embedding.linear_2"),
            new("label_emb.0.0", "add_embedding.linear_1"), new("label_emb.0.2", "add_embedding.linear_2"),
            new("input_blocks.0.0", "conv_in"), new("out.0", "conv_norm_out"), new("out.2", "conv_out"),
            new("middle_block.0", "mid_block.resnets.0", Resnet), new("middle_block.1", "mid_block.attentions.0"),
            new("middle_block.2", "mid_block.resnets.1", Resnet),
        ];
        int perLevel = layers + 1;
        for (int level = 0; level < upAttention.Length; level++)
        {
            for (int layer = 0; layer < layers; layer++)
            {
                int block = 1 + level * perLevel + layer;
                rules.Add(new($"input_blocks.{block}.0", $"down_blocks.{level}.resnets.{layer}", Resnet));
                rules.Add(new($"input_blocks.{block}.1", $"down_blocks.{level}.attentions.{layer}"));
            }

            for (int layer = 0; layer < perLevel; layer++)
            {
                int block = level * perLevel + layer;
                rules.Add(new($"output_blocks.{block}.0", $"up_blocks.{level}.resnets.{layer}", Resnet));
                if (upAttention[level]) rules.Add(new($"output_blocks.{block}.1", $"up_blocks.{level}.attentions.{layer}"));
            }

            if (level == upAttention.Length - 1) break;
            rules.Add(new($"input_blocks.{(level + 1) * perLevel}.0.op", $"down_blocks.{level}.downsamplers.0.conv"));
            rules.Add(new($"output_blocks.{(level + 1) * perLevel - 1}.{(upAttention[level] ? 2 : 1)}.conv",
                $"up_blocks.{level}.upsamplers.0.conv"));
        }

        return new NameMap(rules);
    }
}
