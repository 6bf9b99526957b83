using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// Two models that share a run, as SDXL's base model and refiner: the first one denoises up to <see cref="ImageRequest.DenoisingEnd"/>
/// without decoding, the refiner goes on from its latents.
/// </summary>
public static class Refinement
{
    private const string PredictionType = "prediction_type";

    /// <summary>Checks that a refiner takes a model's latents.</summary>
    /// <param name="first">The model that begins.</param>
    /// <param name="refiner">The model that goes on.</param>
    /// <exception cref="DiffusionRequestException">They are of different families, or their latents have different shapes.</exception>
    public static void Check(DiffusionPipeline first, DiffusionPipeline refiner)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(refiner);
        var (left, taken) = (first.Limits.Latents, refiner.Limits.Latents);
        if (left != taken)
            throw new DiffusionRequestException(nameof(refiner), $"{refiner.Name} takes latents with {taken.Channels} channels for "
                + $"{taken.Factor}x{taken.Factor} pixels; those of {first.Name} have {left.Channels} channels for "
                + $"{left.Factor}x{left.Factor} pixels. A refiner needs the latents of its own kind of autoencoder.");
        if (Family(first) != Family(refiner))
            throw new DiffusionRequestException(nameof(refiner), $"{refiner.Name} is a {Family(refiner)} model, and {first.Name} a "
                + $"{Family(first)} model; a refiner goes on with the latents of its own family only.");
    }

    /// <summary>
    /// The request that ends a run: prompts, seed, size, steps, guidance and size conditioning of the first request, and its scheduler, so
    /// that both models share one noise schedule.
    /// </summary>
    /// <param name="first">The model that began.</param>
    /// <param name="request">Its request, with <see cref="ImageRequest.DenoisingEnd"/>.</param>
    /// <param name="begun">Its result, with latents.</param>
    /// <param name="refiner">The model that goes on.</param>
    /// <exception cref="DiffusionRequestException">The first run did not stop early, or has no latents.</exception>
    public static ImageRequest Continue(DiffusionPipeline first, ImageRequest request, GenerationResult begun, DiffusionPipeline refiner)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(begun);
        ArgumentNullException.ThrowIfNull(refiner);
        if (request.DenoisingEnd is not { } end)
            throw new DiffusionRequestException(nameof(request.DenoisingEnd), "denoising end is absent; it must be below 1, where the "
                + "refiner goes on.");
        var latents = begun.Latents ?? throw new DiffusionRequestException(nameof(request.Decode), "the first run has no latents; its "
            + "decode must be false, or its keep latents true.");
        bool grid = request.Sigmas is null && request.Timesteps is null;
        return request with
        {
            Latents = latents,
            DenoisingStart = end,
            DenoisingEnd = null,
            Width = begun.Settings.Size.Width,
            Height = begun.Settings.Size.Height,
            Steps = grid ? begun.Settings.Steps : null,
            GuidanceScale = begun.Settings.GuidanceScale,
            Seed = begun.Seed,
            Scheduler = refiner.CreateScheduler(begun.Settings.SchedulerName,
                ImageMetadata.Settings(request.Scheduler ?? first.Scheduler).Where(setting => setting.Key != PredictionType)),
            InitImage = null,
            Strength = null,
            MaskImage = null,
            MaskBlur = 0,
            PaddingMaskCrop = null,
            FreeU = null, // its factors belong to the first model's UNet
            Decode = true,
        };
    }

    /// <summary>
    /// Both parts of a run as one result: stages, warnings and intermediate latents of both, and images whose metadata names both models
    /// and reproduces the whole run.
    /// </summary>
    /// <param name="first">The model that began.</param>
    /// <param name="request">Its request.</param>
    /// <param name="begun">Its result.</param>
    /// <param name="refined">The refiner's result.</param>
    public static GenerationResult Join(DiffusionPipeline first, ImageRequest request, GenerationResult begun, GenerationResult refined)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(begun);
        ArgumentNullException.ThrowIfNull(refined);
        int evaluations = begun.Settings.Evaluations + refined.Settings.Evaluations;
        return refined with
        {
            Images = [.. refined.Images.Select(image => Named(image, first, request, evaluations))],
            Intermediates = [.. begun.Intermediates, .. refined.Intermediates],
            Warnings = [.. begun.Warnings.Union(refined.Warnings)],
            Stages = [.. begun.Stages, .. refined.Stages],
            Settings = refined.Settings with { Evaluations = evaluations },
        };
    }

    private static Image Named(Image image, DiffusionPipeline first, ImageRequest request, int evaluations)
    {
        if (GenerationMetadata.Of(image) is not { } own) return image;
        var scheduler = request.Scheduler ?? first.Scheduler;
        var whole = own with
        {
            Model = first.Name,
            Refiner = own.Model,
            Pipeline = first.PipelineClass,
            Evaluations = evaluations,
            SchedulerName = scheduler.Name,
            SchedulerSettings = ImageMetadata.Settings(scheduler),
            ExternalLatents = request.Latents is not null,
            ExternalImage = request.InitImage is not null,
            Request = own.Request with
            {
                DenoisingStart = request.DenoisingStart,
                DenoisingEnd = request.DenoisingEnd,
                Strength = request.Strength,
                FreeU = request.FreeU,
            },
        };
        var text = image.Parameters is null ? null : A1111Parameters.Parse(image.Parameters);
        return new Image(image.Width, image.Height, image.Pixels)
        {
            Parameters = text is null ? null : (text with
            {
                Model = first.Name,
                Extra = [.. text.Extra, new("Refiner", own.Model!),
                    new("Refiner switch at", request.DenoisingEnd!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture))],
            }).Format(),
            RequestJson = whole.ToJson(),
        };
    }

    private static string Family(DiffusionPipeline pipeline) =>
        FamilyCatalog.Families.First(family => family.PipelineClasses.Contains(pipeline.PipelineClass, StringComparer.Ordinal)).Name;
}
