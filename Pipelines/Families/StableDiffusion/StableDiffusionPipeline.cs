using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion 1.x and 2.x: one text encoder.</summary>
/// <remarks>Rombach et al., 2022 (arXiv:2112.10752). Follows diffusers' StableDiffusionPipeline.</remarks>
public sealed class StableDiffusionPipeline : DiffusionPipeline
{
    private readonly ClipTokenizer tokenizer;
    private readonly ClipTextEncoder textEncoder;

    internal StableDiffusionPipeline(PipelineComponents parts) : base(parts)
    {
        (tokenizer, textEncoder) = parts.TextEncoder("");
        var (unet, text) = (parts.UNet.Config, textEncoder.Config);
        ComponentChecks.NoAddedConditions(unet, nameof(StableDiffusionPipeline));
        ComponentChecks.Prompts(unet, parts.TextConfigs);
        if (text.UseAttentionMask)
            throw new ModelFileException(text.File,
                "'use_attention_mask' is true; it must be false: masking padding for a CLIP text encoder is not "
                + "supported.")
            { Key = "use_attention_mask" };
    }

    internal override void CheckPrompts(ImageRequest request)
    {
        if (request.Prompts2.Count > 0 || request.NegativePrompts2.Count > 0)
            throw new DiffusionRequestException(request.Prompts2.Count > 0 ? nameof(request.Prompts2) : nameof(request.NegativePrompts2),
                $"{Name} has one text encoder and takes no second prompt.");
        ResolvedRequest.CheckClipSkip(request, textEncoder.Config.Layers);
    }

    internal override Conditions Encode(ResolvedRequest form, List<string> warnings, CancellationToken cancellation)
    {
        var request = form.Request;
        var positive = Conditions.Repeat(Encode(request.Prompts, request.ClipSkip, warnings, cancellation), request.Count);
        if (!form.Guided) return new Conditions(positive, []);
        // as in diffusers, clip skip applies to the prompt only
        var negative = Encode(ResolvedRequest.PerPrompt(request.NegativePrompts, [], request.Prompts.Count), 0, warnings, cancellation);
        return new Conditions(Conditions.Join(Conditions.Repeat(negative, request.Count), positive), []);
    }

    private TextEmbeddings Encode(IReadOnlyList<string> prompts, int clipSkip, List<string> warnings, CancellationToken cancellation)
    {
        PromptTokens[] tokens = [.. prompts.Select(tokenizer.Encode)];
        warnings.AddRange(tokens.Select(t => t.Warning).OfType<string>().Distinct().Except(warnings));
        return textEncoder.Encode(tokens, ClipHiddenState.StableDiffusion(clipSkip), pooled: false, cancellation);
    }
}
