using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Reproduces an image with a loaded pipeline.</summary>
public static class GenerationMetadataExtensions
{
    /// <summary>The request for a loaded pipeline, with the scheduler of the image.</summary>
    /// <param name="metadata">The image's metadata.</param>
    /// <param name="pipeline">The pipeline that will generate it.</param>
    /// <param name="latents">The start latents, for an image generated from given ones
    /// (<see cref="GenerationMetadata.ExternalLatents"/>).</param>
    /// <param name="image">The initial image, for an image generated from one.</param>
    /// <param name="mask">The mask, for an image generated with one.</param>
    /// <param name="embeddings">The embeddings, for an image generated from them.</param>
    /// <exception cref="DiffusionRequestException">What the image was generated from is missing, or the scheduler is
    /// unknown.</exception>
    public static ImageRequest RequestFor(this GenerationMetadata metadata, DiffusionPipeline pipeline, Latents? latents = null,
        Image? image = null, Image? mask = null, PromptEmbeddings? embeddings = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(pipeline);
        if (metadata.ExternalLatents && latents is null)
            throw new DiffusionRequestException(nameof(ImageRequest.Latents),
                "latents are absent; this image was generated from given start latents, which its metadata does not contain. Pass them "
                    + "again.");
        Require(metadata.ExternalImage && image is null, nameof(ImageRequest.InitImage), "the initial image is absent; this image was "
            + "generated from one, which its metadata does not contain. Pass it again.");
        Require(metadata.ExternalMask && mask is null, nameof(ImageRequest.MaskImage), "the mask is absent; this image was generated with "
            + "one, which its metadata does not contain. Pass it again.");
        Require(metadata.ExternalEmbeddings && embeddings is null, nameof(ImageRequest.Embeddings), "embeddings are absent; this image was "
            + "generated from them, and its metadata does not contain them. Pass them again.");
        return metadata.Request with
        {
            InitImage = image,
            MaskImage = mask,
            Embeddings = embeddings,
            Prompts = embeddings is null ? metadata.Request.Prompts : [],
            Scheduler = metadata.SchedulerName is null ? null
            : pipeline.CreateScheduler(metadata.SchedulerName, metadata.SchedulerSettings),
            Latents = latents
        };

        static void Require(bool missing, string property, string message)
        {
            if (missing) throw new DiffusionRequestException(property, message);
        }
    }

    /// <summary>
    /// Differences between the settings that the image was generated with and the pipeline's, a sentence each; without any, the pixels are
    /// the same.
    /// </summary>
    /// <param name="metadata">The image's metadata.</param>
    /// <param name="pipeline">The pipeline that will generate it.</param>
    public static IReadOnlyList<string> DifferencesFrom(this GenerationMetadata metadata, DiffusionPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(pipeline);
        const string None = "none";
        var now = ImageMetadata.Setting(pipeline);
        (string What, string? Then, string? Now)[] all =
        [
            ("model", metadata.Model, now.Model), ("pipeline", metadata.Pipeline, now.Pipeline), ("device", metadata.Device, now.Device),
                ("type", metadata.DType, now.DType), ("precision of Float32",
                    metadata.DType is null ? null : $"{metadata.Float32Precision}", $"{now.Float32Precision}"),
                ("type of the vae", metadata.VaeDType ?? metadata.DType, now.VaeDType ?? now.DType),
                ("type of the text encoders", metadata.TextEncoderDType ?? metadata.DType, now.TextEncoderDType ?? now.DType),
            ("variant", metadata.Pipeline is null ? null : metadata.Variant ?? None, now.Variant ?? None),
                ("quantization", Quantization(metadata), Quantization(now)), ("software", metadata.Software, now.Software),
        ];
        return [.. all.Where(d => d.Then is not null && d.Then != d.Now)
            .Select(d => $"{d.What} was {OutsideText.Quote(d.Then!)} and is '{d.Now}'")];

        static string Quantization(GenerationMetadata of) =>
            string.Join(" ", new[] { $"{of.Quantize}", of.QuantizeParts, of.QuantizeFilter }.OfType<string>());
    }
}
