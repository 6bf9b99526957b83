using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// Checks on loading that the components of a folder match, so that no op fails in the middle of a run. Messages name both values and both
/// files.
/// </summary>
internal static class UNetChecks
{
    private const int ImageChannels = 3;
    private const string Apart = "They do not belong together.";

    /// <summary>Checks the latents' channels: they must agree between the UNet's input, its output and the autoencoder.</summary>
    /// <returns>Whether the UNet is one for inpainting, which also reads a mask and the latents of the masked image.</returns>
    /// <exception cref="ModelFileException">Numbers of channels differ.</exception>
    public static bool Latents(UNet2DConditionConfig unet, AutoencoderConfig vae)
    {
        int latents = vae.LatentChannels, inpainting = 2 * latents + 1;
        if (unet.InChannels != latents && unet.InChannels != inpainting)
            throw Wrong(unet.File, "in_channels", unet.InChannels, vae.File, "latent_channels", latents,
                InputHint(unet.InChannels, latents));
        if (unet.OutChannels != latents)
            throw Wrong(unet.File, "out_channels", unet.OutChannels, vae.File, "latent_channels", latents,
                unet.OutChannels == 2 * latents ? "This UNet also predicts a variance, which is not supported." : Apart);
        if (vae.InChannels != ImageChannels || vae.OutChannels != ImageChannels)
            throw new ModelFileException(vae.File,
                $"'in_channels' is {vae.InChannels} and 'out_channels' {vae.OutChannels}; images have {ImageChannels}.");
        return unet.InChannels == inpainting;
    }

    /// <summary>
    /// Checks the width of the prompt embeddings: the UNet attends to the concatenated hidden states of all text encoders.
    /// </summary>
    /// <exception cref="ModelFileException">Their width is not the one that the UNet expects.</exception>
    public static void Prompts(UNet2DConditionConfig unet, IReadOnlyList<ClipTextConfig> encoders)
    {
        int width = unet.CrossAttentionDim[0];
        if (encoders.Sum(e => e.HiddenSize) == width) return;
        string each = string.Join(" and ", encoders.Select(e => $"'hidden_size' of {e.File} is {e.HiddenSize}"));
        string sum = encoders.Count > 1 ? $", {encoders.Sum(e => e.HiddenSize)} together" : "";
        throw new ModelFileException(unet.File,
            $"'cross_attention_dim' is {width}, and {each}{sum}; they must be equal. {Apart}")
        { Key = "cross_attention_dim" };
    }

    /// <summary>Checks that the UNet takes no added conditions, since StableDiffusionPipeline has none.</summary>
    /// <exception cref="ModelFileException">The UNet needs added conditions.</exception>
    public static void NoAddedConditions(UNet2DConditionConfig unet, string pipeline)
    {
        if (unet.Added is not null)
            throw new ModelFileException(unet.File,
                $"'addition_embed_type' is \"text_time\"; {pipeline} does not provide such conditions. Is the model one of another "
                + "pipeline?")
            { Key = "addition_embed_type" };
    }

    /// <summary>
    /// Checks that pooled prompt embedding and <paramref name="timeIds"/> size numbers are the added conditions that the UNet expects.
    /// </summary>
    /// <exception cref="ModelFileException">The UNet expects none, or another width.</exception>
    public static void AddedConditions(UNet2DConditionConfig unet, ClipTextConfig pooled, int timeIds, string pipeline)
    {
        if (unet.Added is not { } added)
            throw new ModelFileException(unet.File,
                $"'addition_embed_type' is null; {pipeline} needs \"text_time\". Is the model one of another "
                + "pipeline?")
            { Key = "addition_embed_type" };
        int numbers = timeIds * added.TimeEmbedDim;
        const string Key = "projection_class_embeddings_input_dim";
        if (added.InputDim - numbers == pooled.ProjectionDim) return;
        string left = $"of which {timeIds} size numbers take {numbers} and leave {added.InputDim - numbers} for the prompt";
        throw new ModelFileException(unet.File,
            $"'{Key}' is {added.InputDim}, {left}; 'projection_dim' of {pooled.File} is {pooled.ProjectionDim}. {Apart}")
        { Key = Key };
    }

    private static string InputHint(int channels, int latents) =>
        channels == 2 * latents ? "This is a UNet for editing, which also needs an image."
        : Apart;

    private static ModelFileException Wrong(string file, string key, int value, string otherFile, string otherKey, int otherValue,
        string hint) =>
        new(file, $"'{key}' is {value}, and '{otherKey}' of {otherFile} is {otherValue}; they must be equal. {hint}") { Key = key };
}
