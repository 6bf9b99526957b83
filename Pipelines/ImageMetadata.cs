using System.Globalization;
using System.Reflection;
using System.Text.Json;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Adds metadata to generated images.</summary>
internal static class ImageMetadata
{
    private static readonly string Version =
        typeof(ImageMetadata).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "";

    /// <summary>The image with its metadata in both forms.</summary>
    /// <param name="image">The pixels.</param>
    /// <param name="pipeline">The pipeline that generated it.</param>
    /// <param name="form">The request.</param>
    /// <param name="seeds">Seeds of all images.</param>
    /// <param name="index">Index of the image.</param>
    /// <param name="evaluations">Number of denoiser evaluations.</param>
    public static Image Attach(Image image, DiffusionPipeline pipeline, ResolvedRequest form, IReadOnlyList<Seed> seeds, int index,
        int evaluations)
    {
        var metadata = Of(pipeline, form, seeds, index, evaluations);
        return new Image(image.Width, image.Height, image.Pixels)
        {
            Parameters = A1111(metadata, form).Format(),
            RequestJson = metadata.ToJson()
        };
    }

    /// <summary>The metadata that is not part of a request, such as model and device, for a pipeline's current state.</summary>
    public static GenerationMetadata Setting(DiffusionPipeline pipeline) => new()
    {
        Request = new ImageRequest(""),
        Model = pipeline.Name,
        Pipeline = pipeline.PipelineClass,
        Device = $"{pipeline.Device.Id} ({pipeline.Device.Name})",
        DType = $"{pipeline.DType}",
        Float32Precision = pipeline.Float32Precision,
        VaeDType = pipeline.VaeDType?.ToString(),
        TextEncoderDType = pipeline.TextEncoderDType?.ToString(),
        Variant = pipeline.Variant,
        Quantize = pipeline.Quantize,
        QuantizeParts = pipeline.QuantizedParts is var parts and not (QuantizedParts.None or QuantizedParts.Denoiser) ? $"{parts}" : null,
        QuantizeFilter = pipeline.QuantizeFilter,
        Software = $"ILGpuDiffusion {Version}",
    };

    /// <summary>The settings in the scheduler's configuration; null is a value, different from an absent key.</summary>
    public static Dictionary<string, JsonElement> Settings(Scheduler scheduler)
    {
        var config = scheduler.Config;
        return scheduler.ConfigKeys.Distinct().Where(key => config.Has(key) || config.IsNull(key))
            .ToDictionary(key => key, key => config.Find(key) ?? JsonElement.Parse("null"));
    }

    private static GenerationMetadata Of(DiffusionPipeline pipeline, ResolvedRequest form, IReadOnlyList<Seed> seeds, int index,
        int evaluations)
    {
        var (request, scheduler) = (form.Request, form.Request.Scheduler ?? pipeline.Scheduler);
        int prompt = index / request.Count;
        return Setting(pipeline) with
        {
            Request = request with
            {
                Prompts = request.Embeddings is null ? [request.Prompts[prompt]] : [""],
                NegativePrompts = Own(request.NegativePrompts, prompt),
                Prompts2 = Own(request.Prompts2, prompt),
                NegativePrompts2 = Own(request.NegativePrompts2, prompt),
                Count = request.SharedGenerator ? form.Images : 1,
                Width = form.Size.Width,
                Height = form.Size.Height,
                Steps = request.Sigmas is null && request.Timesteps is null ? form.Steps : null,
                GuidanceScale = form.GuidanceScale,
                Seed = seeds[index],
                Scheduler = null,
                VaeTiling = pipeline.Vae.Grid(request.VaeTiling) is { } tiles ? new(tiles.Pixels.Size, tiles.Overlap) : null,
                Latents = null,
                InitImage = null,
                MaskImage = null,
                Embeddings = null,
                OnStepEnd = null,
                KeepIntermediates = false,
                KeepLatents = false,
            },
            SchedulerName = scheduler.Name,
            SchedulerSettings = Settings(scheduler),
            Evaluations = evaluations,
            ExternalLatents = request.Latents is not null,
            ExternalImage = request.InitImage is not null,
            ExternalMask = request.MaskImage is not null,
            ExternalEmbeddings = request.Embeddings is not null,
            BatchPosition = request.SharedGenerator ? index : 0,
        };
    }

    private static A1111Parameters A1111(GenerationMetadata metadata, ResolvedRequest form)
    {
        var request = metadata.Request;
        var extra = new List<KeyValuePair<string, string>>();
        if (request.ClipSkip > 0) extra.Add(new("Clip skip", Number(request.ClipSkip + 1))); // A1111 counts from 1
        if (request.Eta != 0) extra.Add(new("Eta DDIM", Number(request.Eta)));
        extra.Add(new("RNG", "CPU"));
        if (request.SharedGenerator)
            extra.AddRange([new("Batch size", Number(request.Count)), new("Batch pos", Number(metadata.BatchPosition))]);
        extra.Add(new("Version", metadata.Software!));
        return new A1111Parameters(request.Prompts[0])
        {
            NegativePrompt = request.NegativePrompts.Count == 0 ? null : request.NegativePrompts[0],
            Steps = form.Steps,
            Sampler = A1111Sampler.NameOf(metadata.SchedulerName!, metadata.SchedulerSettings),
            CfgScale = form.GuidanceScale,
            Seed = request.Seed!.Value,
            Width = form.Size.Width,
            Height = form.Size.Height,
            Model = metadata.Model,
            Extra = extra,
        };
    }

    private static string[] Own(IReadOnlyList<string> texts, int prompt) => texts.Count == 0 ? [] : [texts[texts.Count == 1 ? 0 : prompt]];

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
