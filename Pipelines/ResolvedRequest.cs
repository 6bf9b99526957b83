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
    private const int MaxSide = 1 << 15;

    /// <summary>Whether classifier-free guidance is on, so that the denoiser also evaluates the negative prompts.</summary>
    public bool Guided => GuidanceScale > 1;

    /// <summary>Number of prompts, or of given embeddings.</summary>
    public int Prompts => PromptsOf(Request);

    /// <summary>Number of images in all.</summary>
    public int Images => Prompts * Request.Count;

    public int LatentHeight => Size.Height / VaeFactor;

    public int LatentWidth => Size.Width / VaeFactor;

    /// <summary>Checks a request and fills in the model's defaults.</summary>
    /// <param name="request">The request.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="scheduler">The scheduler of requests that set none.</param>
    /// <param name="adapt">What the model determines about the schedule for an image's size.</param>
    /// <exception cref="DiffusionRequestException">A value is out of range; the message names the value and the range.</exception>
    public static ResolvedRequest Resolve(ImageRequest request, ModelLimits limits, Func<Scheduler> scheduler,
        Func<ScheduleRequest, PixelSize, ScheduleRequest> adapt)
    {
        CheckPrompts(request, limits);
        Check(request.ClipSkip >= 0, nameof(request.ClipSkip), request.ClipSkip, "0 or more");
        Check(request.ClipSkip <= limits.ClipSkip, nameof(request.ClipSkip), request.ClipSkip,
            $"at most {limits.ClipSkip} with this model's text encoders");
        Check(request.GuidanceRescale is >= 0 and <= 1, nameof(request.GuidanceRescale), request.GuidanceRescale, "between 0 and 1");
        Check(request.GuidanceScale is null or (>= 0 and <= 1000), nameof(request.GuidanceScale), request.GuidanceScale ?? 0,
            "between 0 and 1000");
        Check(request.FreeU is not { } freeU
            || (double.IsFinite(freeU.S1) && double.IsFinite(freeU.S2) && double.IsFinite(freeU.B1) && double.IsFinite(freeU.B2)),
            nameof(request.FreeU), request.FreeU!, "four finite numbers", "FreeU");
        CheckConditioning(request.SizeConditioning);
        CheckImages(request, limits);

        var (layout, defaults) = (limits.Latents, limits.Defaults);
        var whole = WholeLatents(request.InitImage, layout.Factor);
        PixelSize size = new(
            request.Width ?? request.Latents?.Width * layout.Factor ?? whole?.Width ?? defaults.Size.Width,
            request.Height ?? request.Latents?.Height * layout.Factor ?? whole?.Height ?? defaults.Size.Height);
        string sides = $"a multiple of {layout.Factor}, the factor of this model's VAE, and at most {MaxSide}";
        Check(size.Width >= layout.Factor && size.Width <= MaxSide && size.Width % layout.Factor == 0, nameof(request.Width), size.Width,
            sides);
        Check(size.Height >= layout.Factor && size.Height <= MaxSide && size.Height % layout.Factor == 0, nameof(request.Height),
            size.Height, sides);

        // Checked here rather than when the image is created, at the end of a long run.
        Check((long)size.Width * size.Height <= Image.MaxPixels, nameof(request.Width), size, $"at most {Image.MaxPixels} pixels in all",
            "size");

        if (request.InitImage is not null)
            request = request with
            {
                Strength = request.Strength ?? (request.MaskImage is null ? defaults.Strength : defaults.InpaintStrength),
            };
        var (steps, schedule) = Plan(request, request.Scheduler ?? scheduler(), defaults.Steps, custom => adapt(custom, size),
            size.Width / layout.Factor * (size.Height / layout.Factor) / 4);
        var form = new ResolvedRequest(request, size, steps, request.GuidanceScale ?? defaults.GuidanceScale, layout.Factor, schedule);
        if (request.Latents is { } given) form.CheckLatents(given, layout.Channels);
        if (request.Embeddings is { } embeddings) form.CheckEmbeddings(embeddings, limits);
        return form;
    }

    /// <summary>One text per prompt, from none, one or several.</summary>
    public static string[] PerPrompt(IReadOnlyList<string> texts, IReadOnlyList<string> fallback, int prompts)
    {
        var source = texts.Count > 0 ? texts : fallback;
        return [.. Enumerable.Range(0, prompts).Select(i => source.Count == 0 ? "" : source[source.Count == 1 ? 0 : i])];
    }

    private static int PromptsOf(ImageRequest request) =>
        request.Embeddings?.Prompt.Values.FirstOrDefault()?.Shape is [var count, ..] ? count : request.Prompts.Count;

    private static void CheckPrompts(ImageRequest request, ModelLimits limits)
    {
        CheckTexts(request.Prompts, nameof(request.Prompts), "prompt");
        CheckTexts(request.NegativePrompts, nameof(request.NegativePrompts), "negative prompts");
        CheckTexts(request.Prompts2, nameof(request.Prompts2), "second prompts");
        CheckTexts(request.NegativePrompts2, nameof(request.NegativePrompts2), "second negative prompts");
        if (!limits.SecondPrompt && (request.Prompts2.Count > 0 || request.NegativePrompts2.Count > 0))
            throw new DiffusionRequestException(request.Prompts2.Count > 0 ? nameof(request.Prompts2) : nameof(request.NegativePrompts2),
                $"{limits.Name} has one text encoder and takes no second prompt.");
        Check(request.Embeddings is null || (request.Prompts.Count == 0 && request.NegativePrompts.Count == 0
            && request.Prompts2.Count == 0 && request.NegativePrompts2.Count == 0), nameof(request.Prompts), "given with embeddings",
            "only one of the two", "prompt");
        int prompts = PromptsOf(request);
        Check(prompts > 0, nameof(request.Prompts), "absent", "at least one", "prompt");
        Check(request.Count >= 1 && (long)prompts * request.Count <= ImageRequest.MaxImages, nameof(request.Count), request.Count,
            $"at least 1, with at most {ImageRequest.MaxImages} images in all");
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

    /// <summary>The size of an initial image, rounded down to whole latents.</summary>
    private static PixelSize? WholeLatents(Image? image, int factor)
    {
        if (image is null) return null;
        Check(image.Width >= factor && image.Height >= factor, nameof(ImageRequest.InitImage), $"{image.Width}x{image.Height}",
            $"at least {factor} pixels both ways", "initial image");
        var (width, height) = ImageProcessor.DefaultSize(image, factor);
        return new PixelSize(width, height);
    }

    private static void CheckImages(ImageRequest request, ModelLimits limits)
    {
        Check(request.Strength is null or (> 0 and <= 1), nameof(request.Strength), request.Strength ?? 0, "above 0 and at most 1");
        Check(request.Strength is null || request.InitImage is not null, nameof(request.Strength), request.Strength ?? 0,
            "given together with an initial image");
        Check(request.MaskImage is null || request.InitImage is not null, nameof(request.MaskImage), "given alone",
            "given together with an initial image");
        Check(request.InitImage is null || request.Latents is null, nameof(request.InitImage), "given together with latents",
            "only one of the two");
        Check(request.PaddingMaskCrop is null or (>= 0 and <= MaxSide), nameof(request.PaddingMaskCrop), request.PaddingMaskCrop ?? 0,
            $"between 0 and {MaxSide}");
        Check(request.PaddingMaskCrop is null || request.MaskImage is not null, nameof(request.PaddingMaskCrop),
            request.PaddingMaskCrop ?? 0, "given together with a mask");
        Check(request.MaskBlur is >= 0 and <= 1000, nameof(request.MaskBlur), request.MaskBlur, "between 0 and 1000");
        Check(request.PaddingMaskCrop is null || (request.MaskImage!.Width, request.MaskImage.Height)
            == (request.InitImage!.Width, request.InitImage.Height), nameof(request.MaskImage),
            $"{request.MaskImage?.Width}x{request.MaskImage?.Height}", "of the initial image's size, to work on the part around it");
        Check(request.MaskImage is null || request.PaddingMaskCrop is null || Mask.Luma(request.MaskImage).Any(level => level > 0),
            nameof(request.MaskImage), "black", "white where the image is redrawn");
        Check(!limits.InpaintingOnly || request.MaskImage is not null, nameof(request.MaskImage), "absent",
            $"given: {limits.Name} is a model for inpainting, which needs an initial image and a mask");
        Check(double.IsFinite(request.AestheticScore), nameof(request.AestheticScore), request.AestheticScore, "a finite number");
        Check(double.IsFinite(request.NegativeAestheticScore), nameof(request.NegativeAestheticScore), request.NegativeAestheticScore,
            "a finite number");
    }

    /// <summary>The number of steps, the schedule, and the range of its evaluations that denoising start and end, or strength,
    /// select.</summary>
    private static (int Steps, (Schedule, int, int)) Plan(ImageRequest request, Scheduler scheduler, int defaultSteps,
        Func<ScheduleRequest, ScheduleRequest> adapt, int tokens)
    {
        Check((request.Sigmas is null ? 0 : 1) + (request.Timesteps is null ? 0 : 1) + (request.Steps is null ? 0 : 1) <= 1,
            nameof(request.Steps), "given together with sigmas or timesteps", "only one of the three");
        Check(request.DenoisingStart is null or (>= 0 and < 1), nameof(request.DenoisingStart), request.DenoisingStart ?? 0,
            "at least 0 and below 1");
        Check(request.DenoisingEnd is null or (> 0 and <= 1), nameof(request.DenoisingEnd), request.DenoisingEnd ?? 0,
            "above 0 and at most 1");
        Check(request.DenoisingStart is null || request.Latents is not null || request.InitImage is not null,
            nameof(request.DenoisingStart), request.DenoisingStart ?? 0, "given together with latents, or an image, to go on from");
        Check(!(request.DenoisingStart >= request.DenoisingEnd), nameof(request.DenoisingEnd), request.DenoisingEnd ?? 0,
            $"above denoising start, {request.DenoisingStart}");

        int? custom = request.Sigmas?.Count - 1 ?? request.Timesteps?.Count;
        int steps = custom ?? request.Steps ?? defaultSteps;
        var schedule = scheduler.CreateSchedule(adapt(new ScheduleRequest
        {
            Steps = custom is null ? steps : null,
            Sigmas = request.Sigmas,
            Timesteps = request.Timesteps,
            Eta = request.Eta,
            ImageTokens = Math.Max(tokens, 1),
        }));
        int begin = 0, end = schedule.Timesteps.Count;
        if (request.DenoisingStart is { } start)
        {
            begin = schedule.Timesteps.Count(t => t >= Cutoff(start));
            begin -= begin % scheduler.Order; // never in the middle of a step
        }
        else if (request.Strength is { } strength)
        {
            int left = Math.Min((int)(steps * strength), steps); // truncated as in diffusers
            Check(left > 0, nameof(request.Strength), strength, $"at least {1.0 / steps:0.####}, to leave one of {steps} steps");
            begin = (steps - left) * scheduler.Order;
        }

        if (request.DenoisingEnd is { } stop) end = schedule.Timesteps.Count(t => t >= Cutoff(stop));
        Check(begin < end, request.DenoisingStart is null ? nameof(request.DenoisingEnd) : nameof(request.DenoisingStart),
            $"{request.DenoisingStart ?? 0} and {request.DenoisingEnd ?? 1}", "far enough apart to leave a step",
                "denoising start and end");
        return (steps, (begin == 0 ? schedule : schedule.BeginningAt(begin), begin, end));

        double Cutoff(double share) => Math.Round(scheduler.TrainTimesteps - share * scheduler.TrainTimesteps, MidpointRounding.ToEven);
    }

    private void CheckEmbeddings(PromptEmbeddings given, ModelLimits limits)
    {
        const string Property = nameof(Request.Embeddings);
        Check(given.Negative is not null || !Guided, Property, "without negative prompts",
            $"with them, since guidance scale is {GuidanceScale}");
        string inputs = string.Join(", ", limits.Embeddings.Select(e => e.Name));
        foreach (var side in new[] { given.Prompt, given.Negative }.OfType<IReadOnlyDictionary<string, HostTensor>>())
        {
            Check(side.Count == limits.Embeddings.Count && limits.Embeddings.All(e => side.ContainsKey(e.Name)), Property,
                string.Join(", ", side.Keys), inputs);
            foreach (var input in limits.Embeddings)
            {
                var tensor = side[input.Name];
                var expected = given.Prompt[limits.Embeddings[0].Name].Shape;
                bool fits = tensor.Shape.Count == (input.PerToken ? 3 : 2) && tensor.Shape[0] == Prompts && tensor.Shape[^1] == input.Width
                    && tensor.Shape.All(s => s > 0) && (!input.PerToken || tensor.Shape[1] == expected[1])
                    && tensor.Values.Length == tensor.Shape.Aggregate(1L, (a, b) => a * b);
                Check(fits, Property, $"[{string.Join(", ", tensor.Shape)}] with {tensor.Values.Length} values",
                    $"[{Prompts}, {(input.PerToken ? "tokens, " : "")}{input.Width}] with a value for each", input.Name);
                Check(NotFinite.IndexIn(tensor.Values) < 0, Property, "NaN or infinite in places", "finite", input.Name);
            }
        }
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
