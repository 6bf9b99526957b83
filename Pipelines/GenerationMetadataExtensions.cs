using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Draws an image again with a loaded pipeline.</summary>
public static class GenerationMetadataExtensions
{
    /// <summary>The request for a loaded pipeline, with the scheduler that drew the image.</summary>
    /// <param name="metadata">How it was drawn.</param>
    /// <param name="pipeline">What will draw.</param>
    /// <param name="latents">The start latents, where the image's were given (<see cref="GenerationMetadata.ExternalLatents"/>).</param>
    /// <exception cref="DiffusionRequestException">The start latents are missing, or there is no such scheduler.</exception>
    public static ImageRequest RequestFor(this GenerationMetadata metadata, DiffusionPipeline pipeline, Latents? latents = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(pipeline);
        if (metadata.ExternalLatents && latents is null) throw new DiffusionRequestException(nameof(ImageRequest.Latents), "latents are absent; this image began with latents that were given, which it does not hold. Give them again.");
        return metadata.Request with { Scheduler = metadata.SchedulerName is null ? null : pipeline.CreateScheduler(metadata.SchedulerName, metadata.SchedulerSettings), Latents = latents };
    }

    /// <summary>What is not as it was when the image was drawn, each a sentence; with none of them the pixels come out the same.</summary>
    /// <param name="metadata">How it was drawn.</param>
    /// <param name="pipeline">What will draw.</param>
    public static IReadOnlyList<string> DifferencesFrom(this GenerationMetadata metadata, DiffusionPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(pipeline);
        const string None = "none";
        var now = ImageMetadata.Setting(pipeline);
        (string What, string? Then, string? Now)[] all =
        [
            ("model", metadata.Model, now.Model), ("pipeline", metadata.Pipeline, now.Pipeline), ("device", metadata.Device, now.Device), ("type", metadata.DType, now.DType),
            ("variant", metadata.Pipeline is null ? null : metadata.Variant ?? None, now.Variant ?? None), ("quantization", $"{metadata.Quantize}", $"{now.Quantize}"), ("software", metadata.Software, now.Software),
        ];
        return [.. all.Where(d => d.Then is not null && d.Then != d.Now).Select(d => $"{d.What} was {OutsideText.Quote(d.Then!)} and is '{d.Now}'")];
    }
}
