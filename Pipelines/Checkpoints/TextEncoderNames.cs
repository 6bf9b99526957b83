namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>CLIP text encoders inside files of whole models: those of transformers and those of OpenCLIP.</summary>
internal static class TextEncoderNames
{
    private const string Text = "text_model";

    private static readonly NameMap Layer = new(
    [
        new("ln_1", "layer_norm1"), new("ln_2", "layer_norm2"), new("mlp.c_fc", "mlp.fc1"), new("mlp.c_proj", "mlp.fc2"),
        new("attn.out_proj", "self_attn.out_proj"),
        .. Fused("attn.in_proj_weight", "weight"), .. Fused("attn.in_proj_bias", "bias"),
    ]);

    /// <summary>transformers' own names; files from before version 4.0 lack <c>text_model</c>.</summary>
    public static NameMap Clip(TensorTable original) => original.HasGroup(Text) ? NameMap.Same : new(
    [
        new("embeddings", $"{Text}.embeddings"), new("encoder", $"{Text}.encoder"), new("final_layer_norm", $"{Text}.final_layer_norm"),
    ]);

    /// <summary>OpenCLIP's names.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="projection">Whether the model has a projection; a file may hold one that it does not use.</param>
    /// <param name="stored">Number of layers in the file.</param>
    public static NameMap OpenClip(int layers, bool projection, int stored)
    {
        List<NameRule> rules =
        [
            new("token_embedding", $"{Text}.embeddings.token_embedding"), new("ln_final", $"{Text}.final_layer_norm"),
            new("positional_embedding", $"{Text}.embeddings.position_embedding.weight"),
        ];
        if (projection) rules.Add(new("text_projection", "text_projection.weight", Form: TensorForm.Transposed));
        for (int i = 0; i < layers; i++) rules.Add(new($"transformer.resblocks.{i}", $"{Text}.encoder.layers.{i}", Layer));
        return new NameMap(rules, [.. Enumerable.Range(layers, Math.Max(0, stored - layers)).Select(i => $"transformer.resblocks.{i}"),
            "text_projection", "logit_scale", "attn_mask"]);
    }

    private static NameRule[] Fused(string original, string part) =>
    [
        new(original, $"self_attn.q_proj.{part}", Form: TensorForm.FirstThird),
        new(original, $"self_attn.k_proj.{part}", Form: TensorForm.SecondThird),
        new(original, $"self_attn.v_proj.{part}", Form: TensorForm.LastThird),
    ];
}
