using System.Text.RegularExpressions;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>A request checked against a model, with every default filled in.</summary>
internal sealed partial record ResolvedRequest(ImageRequest Request, PixelSize Size, int Steps, double GuidanceScale, int VaeFactor,
    (Schedule Schedule, int Begin, int End) Schedule)
{
    /// <summary>The most images of one request.</summary>
    public const int MaxImages = 1024;

    private const int MaxSide = 1 << 15;

    /// <summary>Whether classifier-free guidance is on, so that the denoiser also evaluates the negative prompts.</summary>
    public bool Guided => GuidanceScale > 1;

    /// <summary>Number of images in all.</summary>
    public int Images => Request.Prompts.Count * Request.Count;

    public int LatentHeight => Size.Height / VaeFactor;

    public int LatentWidth => Size.Width / VaeFactor;

    /// <summary>Checks a request and fills in the model's defaults.</summary>
    /// <exception cref="DiffusionRequestException">A value is out of range; the message names the value and the range.</exception>
    public static ResolvedRequest Resolve(ImageRequest request, DiffusionPipeline pipeline, int vaeFactor, int latentChannels)
    {
        CheckPrompts(request);
        Check(request.ClipSkip >= 0, nameof(request.ClipSkip), request.ClipSkip, "0 or more");
        pipeline.CheckPrompts(request);
        Check(request.GuidanceRescale is >= 0 and <= 1, nameof(request.GuidanceRescale), request.GuidanceRescale, "between 0 and 1");
        Check(request.GuidanceScale is null or (>= 0 and <= 1000), nameof(request.GuidanceScale), request.GuidanceScale ?? 0,
            "between 0 and 1000");
        Check(request.FreeU is not { } freeU
            || (double.IsFinite(freeU.S1) && double.IsFinite(freeU.S2) && double.IsFinite(freeU.B1) && double.IsFinite(freeU.B2)),
            nameof(request.FreeU), request.FreeU!, "four finite numbers", "FreeU");
        CheckConditioning(request.SizeConditioning);

        PixelSize size = new(
            request.Width ?? request.Latents?.Width * vaeFactor ?? pipeline.Defaults.Size.Width,
            request.Height ?? request.Latents?.Height * vaeFactor ?? pipeline.Defaults.Size.Height);
        string sides = $"a multiple of {vaeFactor}, the factor of this model's VAE, and at most {MaxSide}";
        Check(size.Width >= vaeFactor && size.Width <= MaxSide && size.Width % vaeFactor == 0, nameof(request.Width), size.Width, sides);
        Check(size.Height >= vaeFactor && size.Height <= MaxSide && size.Height % vaeFactor == 0, nameof(request.Height), size.Height,
            sides);

        // Checked here rather than when the image is created, at the end of a long run.
        Check((long)size.Width * size.Height <= Image.MaxPixels, nameof(request.Width), size, $"at most {Image.MaxPixels} pixels in all",
            "size");

        var (steps, schedule) = Plan(request, pipeline);
        var form = new ResolvedRequest(request, size, steps, request.GuidanceScale ?? pipeline.Defaults.GuidanceScale, vaeFactor, schedule);
        if (request.Latents is { } given) form.CheckLatents(given, latentChannels);
        return form;
    }

    /// <summary>Checks the clip skip against the text encoders' layers.</summary>
    /// <exception cref="DiffusionRequestException">The request skips more layers than the model has.</exception>
    public static void CheckClipSkip(ImageRequest request, int most) =>
        Check(request.ClipSkip <= most, nameof(request.ClipSkip), request.ClipSkip, $"at most {most} with this model's text encoders");

    /// <summary>One text per prompt, from none, one or several.</summary>
    public static string[] PerPrompt(IReadOnlyList<string> texts, IReadOnlyList<string> fallback, int prompts)
    {
        var source = texts.Count > 0 ? texts : fallback;
        return [.. Enumerable.Range(0, prompts).Select(i => source.Count == 0 ? "" : source[source.Count == 1 ? 0 : i])];
    }

    private static void CheckPrompts(ImageRequest request)
    {
        CheckTexts(request.Prompts, nameof(request.Prompts), "prompt");
        CheckTexts(request.NegativePrompts, nameof(request.NegativePrompts), "negative prompts");
        CheckTexts(request.Prompts2, nameof(request.Prompts2), "second prompts");
        CheckTexts(request.NegativePrompts2, nameof(request.NegativePrompts2), "second negative prompts");
        int prompts = request.Prompts.Count;
        Check(prompts > 0, nameof(request.Prompts), "absent", "at least one", "prompt");
        Check(request.Count >= 1 && (long)prompts * request.Count <= MaxImages, nameof(request.Count), request.Count,
            $"at least 1, with at most {MaxImages} images in all");
        CheckMatches(request.NegativePrompts, prompts, nameof(request.NegativePrompts), "negative prompts");
        CheckMatches(request.Prompts2, prompts, nameof(request.Prompts2), "second prompts");
        CheckMatches(request.NegativePrompts2, prompts, nameof(request.NegativePrompts2), "second negative prompts");
    }

    private static void CheckConditioning(SizeConditioning? sizes)
    {
        Check(sizes is not null, nameof(ImageRequest.SizeConditioning), "null", "left out, or an object");
        foreach (var (name, size) in new[]
        {
            ("original size", sizes!.OriginalSize), ("target size", sizes.TargetSize),
                ("negative original size", sizes.NegativeOriginalSize), ("negative target size", sizes.NegativeTargetSize),
        })
            Check(size is not { } s || (s.Width >= 0 && s.Height >= 0), nameof(ImageRequest.SizeConditioning), size ?? default,
                "0 or more both ways", name);
    }

    /// <summary>The number of steps, the schedule, and the range of its evaluations that denoising start and end select.</summary>
    private static (int Steps, (Schedule, int, int)) Plan(ImageRequest request, DiffusionPipeline pipeline)
    {
        Check((request.Sigmas is null ? 0 : 1) + (request.Timesteps is null ? 0 : 1) + (request.Steps is null ? 0 : 1) <= 1,
            nameof(request.Steps), "given together with sigmas or timesteps", "only one of the three");
        Check(request.DenoisingStart is null or (>= 0 and < 1), nameof(request.DenoisingStart), request.DenoisingStart ?? 0,
            "at least 0 and below 1");
        Check(request.DenoisingEnd is null or (> 0 and <= 1), nameof(request.DenoisingEnd), request.DenoisingEnd ?? 0,
            "above 0 and at most 1");
        Check(request.DenoisingStart is null || request.Latents is not null, nameof(request.DenoisingStart), request.DenoisingStart ?? 0,
            "given together with latents to go on from");
        Check(!(request.DenoisingStart >= request.DenoisingEnd), nameof(request.DenoisingEnd), request.DenoisingEnd ?? 0,
            $"above denoising start, {request.DenoisingStart}");

        var scheduler = request.Scheduler ?? pipeline.Scheduler;
        int? custom = request.Sigmas?.Count - 1 ?? request.Timesteps?.Count;
        int steps = custom ?? request.Steps ?? pipeline.Defaults.Steps;
        var schedule = scheduler.CreateSchedule(new ScheduleRequest
        {
            Steps = custom is null ? steps : null,
            Sigmas = request.Sigmas,
            Timesteps = request.Timesteps,
            Eta = request.Eta,
        });
        int begin = request.DenoisingStart is { } start ? schedule.Timesteps.Count(t => t >= Cutoff(start)) : 0;
        int end = request.DenoisingEnd is { } stop ? schedule.Timesteps.Count(t => t >= Cutoff(stop)) : schedule.Timesteps.Count;
        Check(begin < end, request.DenoisingStart is null ? nameof(request.DenoisingEnd) : nameof(request.DenoisingStart),
            $"{request.DenoisingStart ?? 0} and {request.DenoisingEnd ?? 1}", "far enough apart to leave a step",
                "denoising start and end");
        return (steps, (begin == 0 ? schedule : schedule.BeginningAt(begin), begin, end));

        double Cutoff(double share) => Math.Round(scheduler.TrainTimesteps - share * scheduler.TrainTimesteps, MidpointRounding.ToEven);
    }

    private void CheckLatents(Latents given, int channels)
    {
        string expected = $"[{Images}, {channels}, {LatentHeight}, {LatentWidth}]";
        Check(given.Shape == expected, nameof(Request.Latents), given.Shape, expected);
        Check(given.Values is not null, nameof(Request.Latents), "without values", $"{expected} with a value for each");
        int values = given.Values!.Length;
        Check(values == (long)Images * channels * LatentHeight * LatentWidth, nameof(Request.Latents),
            $"{given.Shape} with {values} values", $"{expected} with a value for each");
        int bad = NotFinite.IndexIn(given.Values);
        Check(bad < 0, nameof(Request.Latents), bad < 0 ? 0 : $"{given.Values[bad]} at value {bad}", "finite numbers");
    }

    private static void CheckTexts(IReadOnlyList<string>? texts, string property, string name) =>
        Check(texts is not null && !texts.Contains(null), property, "null", "a text, which may be empty", name);

    private static void CheckMatches(IReadOnlyList<string> texts, int prompts, string property, string name) =>
        Check(texts.Count == 0 || texts.Count == 1 || texts.Count == prompts, property, texts.Count,
            $"none, one for all, or {prompts} like the prompts", name);

    /// <param name="condition">What must hold.</param>
    /// <param name="property">The request's property.</param>
    /// <param name="found">Its value.</param>
    /// <param name="expected">Follows "it must be".</param>
    /// <param name="name">What the message calls the property; null for its name in small letters.</param>
    private static void Check(bool condition, string property, object found, string expected, string? name = null)
    {
        if (!condition)
            throw new DiffusionRequestException(property,
                $"{name ?? Words().Replace(property, " $0").TrimStart().ToLowerInvariant()} is {found}; it must be {expected}.");
    }

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Words();
}
