using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>
/// Stable Diffusion XL: the embeddings of two text encoders side by side; a pooled embedding and size numbers are added conditions. The
/// refiner has the second text encoder only, and an aesthetic score among its numbers.
/// </summary>
/// <remarks>Podell et al., 2023 (arXiv:2307.01952). Follows diffusers' StableDiffusionXLPipeline and its Img2Img and Inpaint
/// relatives.</remarks>
internal sealed class StableDiffusionXLModel : DiffusionModel
{
    private readonly ClipPromptEncoder[] text; // the last one pools
    private readonly UNet2DConditionModel unet;
    private readonly bool scored, zeroForEmptyPrompt;
    private readonly int numbers;

    public StableDiffusionXLModel(ComponentLoader components)
    {
        var index = components.Source.Index;
        scored = index.Bool("requires_aesthetics_score", false);
        numbers = scored ? 5 : 6;
        zeroForEmptyPrompt = index.Bool("force_zeros_for_empty_prompt", true);
        unet = components.UNet(components.ConfigOf("unet", nameof(UNet2DConditionModel)));
        Vae = components.Vae();
        bool inpaints = UNetChecks.Latents(unet.Config, Vae.Config);
        bool refines = scored && !components.Source.Has("text_encoder");
        text = [.. refines ? [] : new[] { components.ClipEncoder("") }, components.ClipEncoder("_2")];
        if (text[0].Tokenizer.ModelMaxLength != PromptTokens)
            throw new ModelFileException(components.Source.Path,
                $"tokenizer makes prompts of {text[0].Tokenizer.ModelMaxLength} tokens, tokenizer_2 of {PromptTokens}; they must be "
                    + "equal.");
        if (text[^1].Config.ProjectionDim is null)
            throw index.Wrong("text_encoder_2", "of the class CLIPTextModelWithProjection: its projection gives the pooled prompt");
        UNetChecks.Prompts(unet.Config, [.. text.Select(t => t.Config)]);
        UNetChecks.AddedConditions(unet.Config, text[^1].Config, numbers, components.Source.ClassName);
        if (index.Bool("add_watermarker", false)) FamilyLog.NoWatermark(components.Logger, index.File);
        DType = components.Settings.DType;
        Limits = new(components.Source.Name, new LatentLayout(Vae.LatentChannels, Vae.SpatialFactor),
            new PipelineDefaults(50, 5, unet.ImageSize(Vae.SpatialFactor)) { Strength = 0.3, InpaintStrength = 0.9999 }
                .Read(components.Source.Path))
        {
            ClipSkip = text.Min(t => t.Config.Layers) - 1, // the last layer is always skipped
            SecondPrompt = true,
            Embeddings =
            [
                new(UNetPrediction.Text, unet.CrossAttentionDim, PerToken: true),
                new(UNetPrediction.PooledText, unet.PooledDim(numbers), PerToken: false),
            ],
            InpaintingOnly = inpaints,
        };
    }

    public override ModelLimits Limits { get; }

    public override string DenoiserName => "unet";

    public override Layer Denoiser => unet;

    public override Autoencoder Vae { get; }

    public override DType DType { get; }

    public override int PromptTokens => text[^1].Tokenizer.ModelMaxLength;

    public override IEnumerable<CompiledGraph> TextEncoderGraphs => text.SelectMany(t => t.Encoder.Compiled);

    // the factors of ComfyUI's latent_formats.py
    public override LatentPreview Preview { get; } = new(
        [(0.3651f, 0.4232f, 0.4341f), (-0.2533f, -0.0042f, 0.1068f), (0.1076f, 0.1111f, -0.0362f), (-0.3165f, -0.2492f, -0.2188f)],
        (0.1084f, -0.0175f, -0.0011f));

    public override IReadOnlyDictionary<string, Tensor> Encode(PromptBatch prompts, EncodeContext context)
    {
        int count = prompts.Prompts.Count;
        var hidden = context.Scope.Allocate(DType.Float32, [count, PromptTokens, unet.CrossAttentionDim]);
        var pooled = context.Scope.Allocate(DType.Float32, [count, unet.PooledDim(numbers)]);
        if (!(prompts is { Negative: true, Given: false } && zeroForEmptyPrompt)) // else zeros, as diffusers has it
        {
            var state = ClipHiddenState.StableDiffusionXl(prompts.ClipSkip);
            IReadOnlyList<string>[] texts = text.Length == 1 ? [prompts.Prompts] : [prompts.Prompts, prompts.Prompts2];
            TextEmbeddings[] parts = [.. text.Select((t, i) => t.Encode(texts[i], state, pooled: i == text.Length - 1, context))];
            context.Scope.Join(-1, [.. parts.Select(p => p.Hidden)], hidden, context.Cancellation);
            context.Scope.Copy(parts[^1].Pooled!, pooled, context.Cancellation);
        }

        return new Dictionary<string, Tensor> { [UNetPrediction.Text] = hidden, [UNetPrediction.PooledText] = pooled };
    }

    public override IReadOnlyDictionary<string, float[]> Numbers(ImageRequest request, PixelSize size, bool negative) =>
        new Dictionary<string, float[]> { [UNetPrediction.Numbers] = SizeNumbers.Of(request, size, negative, scored) };

    public override Graph Trace(PredictionOptions options) => UNetPrediction.Trace(unet, options, DType, numbers);

    public override void Trim()
    {
        foreach (var t in text) t.Encoder.Trim();
    }
}
