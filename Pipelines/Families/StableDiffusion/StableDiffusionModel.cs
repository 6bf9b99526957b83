using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion 1.x and 2.x: one CLIP text encoder, whose hidden states the UNet attends to.</summary>
/// <remarks>Rombach et al., 2022 (arXiv:2112.10752). Follows diffusers' StableDiffusionPipeline.</remarks>
internal sealed class StableDiffusionModel : DiffusionModel
{
    private readonly ClipPromptEncoder text;
    private readonly UNet2DConditionModel unet;

    public StableDiffusionModel(ComponentLoader components)
    {
        unet = components.UNet(OldConfigs.UNet(components.ConfigOf("unet", nameof(UNet2DConditionModel)), components.Logger));
        Vae = components.Vae();
        bool inpaints = UNetChecks.Latents(unet.Config, Vae.Config);
        text = components.ClipEncoder("");
        UNetChecks.NoAddedConditions(unet.Config, components.Source.ClassName);
        UNetChecks.Prompts(unet.Config, [text.Config]);
        if (text.Config.UseAttentionMask)
            throw new ModelFileException(text.Config.File,
                "'use_attention_mask' is true; it must be false: masking padding for a CLIP text encoder is not supported.")
            { Key = "use_attention_mask" };
        DType = components.Settings.DType;
        Limits = new(components.Source.Name, new LatentLayout(Vae.LatentChannels, Vae.SpatialFactor),
            new PipelineDefaults(50, 7.5, unet.ImageSize(Vae.SpatialFactor)).Read(components.Source.Path))
        {
            ClipSkip = text.Config.Layers,
            InpaintingOnly = inpaints,
            Embeddings = [new(UNetPrediction.Text, unet.CrossAttentionDim, PerToken: true)],
        };
    }

    public override ModelLimits Limits { get; }

    public override string DenoiserName => "unet";

    public override Layer Denoiser => unet;

    public override Autoencoder Vae { get; }

    public override DType DType { get; }

    public override int PromptTokens => text.Tokenizer.ModelMaxLength;

    public override IEnumerable<CompiledGraph> TextEncoderGraphs => text.Encoder.Compiled;

    // the factors of ComfyUI's latent_formats.py
    public override LatentPreview Preview { get; } = new(
        [(0.3512f, 0.2297f, 0.3227f), (0.3250f, 0.4974f, 0.2350f), (-0.2829f, 0.1762f, 0.2721f), (-0.2120f, -0.2616f, -0.7177f)],
        (0, 0, 0));

    public override IReadOnlyDictionary<string, Tensor> Encode(PromptBatch prompts, EncodeContext context) =>
        new Dictionary<string, Tensor>
        {
            [UNetPrediction.Text] = text.Encode(prompts.Prompts, ClipHiddenState.StableDiffusion(prompts.ClipSkip), pooled: false,
                context).Hidden,
        };

    public override Graph Trace(PredictionOptions options) => UNetPrediction.Trace(unet, options, DType);

    public override void Trim() => text.Encoder.Trim();
}
