using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>
/// Stable Diffusion XL: the embeddings of two text encoders are concatenated; pooled embeddings and image sizes are added conditions.
/// </summary>
/// <remarks>Podell et al., 2023 (arXiv:2307.01952). Follows diffusers' StableDiffusionXLPipeline.</remarks>
public sealed class StableDiffusionXLPipeline : DiffusionPipeline
{
    private const int TimeIds = 6; // original size, crop, target size

    private readonly ClipTokenizer tokenizer, tokenizer2;
    private readonly ClipTextEncoder textEncoder, textEncoder2;
    private readonly bool zeroForEmptyPrompt;

    internal StableDiffusionXLPipeline(PipelineComponents parts) : base(parts)
    {
        (tokenizer, textEncoder) = parts.TextEncoder("");
        (tokenizer2, textEncoder2) = parts.TextEncoder("_2");
        if (tokenizer.ModelMaxLength != tokenizer2.ModelMaxLength)
            throw new ModelFileException(parts.Folder.Path,
                $"tokenizer makes prompts of {tokenizer.ModelMaxLength} tokens, tokenizer_2 of {tokenizer2.ModelMaxLength}; they must be "
                    + "equal.");
        if (textEncoder2.Config.ProjectionDim is null)
            throw parts.Folder.Index.Wrong("text_encoder_2",
                "of the class CLIPTextModelWithProjection: its projection gives the pooled prompt");
        ComponentChecks.Prompts(parts.UNet.Config, parts.TextConfigs);
        ComponentChecks.AddedConditions(parts.UNet.Config, textEncoder2.Config, TimeIds, nameof(StableDiffusionXLPipeline));
        if (parts.Folder.Index.Bool("add_watermarker", false))
            FamilyLog.NoWatermark(parts.Logger, parts.Folder.Index.File);
        zeroForEmptyPrompt = parts.Folder.Index.Bool("force_zeros_for_empty_prompt", true);
    }

    internal override void CheckPrompts(ImageRequest request) =>
        // SDXL always skips the last layer
        ResolvedRequest.CheckClipSkip(request, Math.Min(textEncoder.Config.Layers, textEncoder2.Config.Layers) - 1);

    internal override Conditions Encode(ResolvedRequest form, List<string> warnings, CancellationToken cancellation)
    {
        var request = form.Request;
        int prompts = request.Prompts.Count;
        var text = Encode(request.Prompts, ResolvedRequest.PerPrompt(request.Prompts2, request.Prompts, prompts), request.ClipSkip,
            warnings, cancellation);
        var positive = Conditions.Repeat(text, request.Count);
        float[] timeIds = Repeat(request.SizeConditioning.TimeIds(form.Size), form.Images);
        if (!form.Guided) return new Conditions(positive, timeIds);

        // As in diffusers, clip skip applies to the prompt only.
        bool zeros = request.NegativePrompts.Count == 0 && request.NegativePrompts2.Count == 0 && zeroForEmptyPrompt;
        var negative = zeros
            ? text with { Hidden = new float[text.Hidden.Length], Pooled = new float[text.Pooled.Length] }
            : Encode(ResolvedRequest.PerPrompt(request.NegativePrompts, [], prompts),
                ResolvedRequest.PerPrompt(request.NegativePrompts2, request.NegativePrompts, prompts), 0, warnings, cancellation);
        float[] negativeTimeIds = Repeat(request.SizeConditioning.NegativeTimeIds(form.Size), form.Images);
        return new Conditions(Conditions.Join(Conditions.Repeat(negative, request.Count), positive), [.. negativeTimeIds, .. timeIds]);
    }

    private TextEmbeddings Encode(IReadOnlyList<string> prompts, IReadOnlyList<string> prompts2, int clipSkip, List<string> warnings,
        CancellationToken cancellation)
    {
        var state = ClipHiddenState.StableDiffusionXl(clipSkip);
        PromptTokens[] tokens = [.. prompts.Select(tokenizer.Encode)], tokens2 = [.. prompts2.Select(tokenizer2.Encode)];
        warnings.AddRange(tokens.Concat(tokens2).Select(t => t.Warning).OfType<string>().Distinct().Except(warnings));
        var first = textEncoder.Encode(tokens, state, pooled: false, cancellation);
        return first.Beside(textEncoder2.Encode(tokens2, state, pooled: true, cancellation));
    }

    private static float[] Repeat(float[] values, int count) => [.. Enumerable.Repeat(values, count).SelectMany(v => v)];
}
