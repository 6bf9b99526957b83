namespace ILGpuDiffusion.Pipelines;

/// <summary>A request that was checked against a model, with every default filled in.</summary>
internal sealed record RequestForm(ImageRequest Request, PixelSize Size, double GuidanceScale, int VaeFactor, (Schedule Schedule, int Begin, int End) Schedule)
{
    private const int MaxSide = 1 << 15, MaxPictures = 1024;

    /// <summary>Whether negative prompts are asked about too.</summary>
    public bool Guided => GuidanceScale > 1;

    /// <summary>Pictures in all.</summary>
    public int Pictures => Request.Prompts.Count * Request.Count;

    public int LatentHeight => Size.Height / VaeFactor;

    public int LatentWidth => Size.Width / VaeFactor;

    /// <summary>Checks a request and fills in the model's defaults.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it, and what it must be.</exception>
    public static RequestForm Resolve(ImageRequest request, DiffusionPipeline pipeline, int vaeFactor, int latentChannels)
    {
        int prompts = request.Prompts.Count;
        string?[] texts = [.. request.Prompts, .. request.NegativePrompts, .. request.Prompts2, .. request.NegativePrompts2];
        Check(!texts.Contains(null), "prompt", "null", "a text, which may be empty");
        Check(prompts > 0, "prompt", "absent", "at least one");
        Check(request.Count >= 1 && (long)prompts * request.Count <= MaxPictures, "count", request.Count, $"at least 1, with at most {MaxPictures} pictures in all");
        CheckMatches(request.NegativePrompts, prompts, "negative prompts");
        CheckMatches(request.Prompts2, prompts, "second prompts");
        CheckMatches(request.NegativePrompts2, prompts, "second negative prompts");
        Check(request.ClipSkip >= 0, "clip skip", request.ClipSkip, "0 or more");
        pipeline.CheckPrompts(request);
        Check(request.GuidanceRescale is >= 0 and <= 1, "guidance rescale", request.GuidanceRescale, "between 0 and 1");
        Check(request.GuidanceScale is null or (>= 0 and <= 1000), "guidance scale", request.GuidanceScale ?? 0, "between 0 and 1000");

        PixelSize size = new(
            request.Width ?? request.Latents?.Width * vaeFactor ?? pipeline.Defaults.Size.Width,
            request.Height ?? request.Latents?.Height * vaeFactor ?? pipeline.Defaults.Size.Height);
        Check(size.Width >= vaeFactor && size.Width <= MaxSide && size.Width % vaeFactor == 0, "width", size.Width, $"a multiple of {vaeFactor}, at most {MaxSide}");
        Check(size.Height >= vaeFactor && size.Height <= MaxSide && size.Height % vaeFactor == 0, "height", size.Height, $"a multiple of {vaeFactor}, at most {MaxSide}");

        // Found out now rather than when the picture is made, hours later.
        Check((long)size.Width * size.Height <= Image.MaxPixels, "size", size, $"at most {Image.MaxPixels} pixels in all");

        var form = new RequestForm(request, size, request.GuidanceScale ?? pipeline.Defaults.GuidanceScale, vaeFactor, Plan(request, pipeline));
        if (request.Latents is { } given)
        {
            string expected = $"[{form.Pictures}, {latentChannels}, {form.LatentHeight}, {form.LatentWidth}]";
            Check(given.Shape == expected && given.Values.Length == (long)form.Pictures * latentChannels * form.LatentHeight * form.LatentWidth, "latents", given.Shape, expected);
        }

        return form;
    }

    /// <summary>The schedule, and the evaluations that denoising start and end leave of it.</summary>
    private static (Schedule, int, int) Plan(ImageRequest request, DiffusionPipeline pipeline)
    {
        Check((request.Sigmas is null ? 0 : 1) + (request.Timesteps is null ? 0 : 1) + (request.Steps is null ? 0 : 1) <= 1, "steps", "given together with sigmas or timesteps", "only one of the three");
        Check(request.DenoisingStart is null or (>= 0 and < 1), "denoising start", request.DenoisingStart ?? 0, "at least 0 and below 1");
        Check(request.DenoisingEnd is null or (> 0 and <= 1), "denoising end", request.DenoisingEnd ?? 0, "above 0 and at most 1");
        Check(request.DenoisingStart is null || request.Latents is not null, "denoising start", request.DenoisingStart ?? 0, "given together with latents to go on from");
        Check(!(request.DenoisingStart >= request.DenoisingEnd), "denoising end", request.DenoisingEnd ?? 0, $"above denoising start, {request.DenoisingStart}");

        var scheduler = request.Scheduler ?? pipeline.Scheduler;
        bool custom = request.Sigmas is not null || request.Timesteps is not null;
        var schedule = scheduler.CreateSchedule(new ScheduleRequest
        {
            Steps = custom ? null : request.Steps ?? pipeline.Defaults.Steps,
            Sigmas = request.Sigmas,
            Timesteps = request.Timesteps,
            Eta = request.Eta,
        });
        int begin = request.DenoisingStart is { } start ? schedule.Timesteps.Count(t => t >= Cutoff(start)) : 0;
        int end = request.DenoisingEnd is { } stop ? schedule.Timesteps.Count(t => t >= Cutoff(stop)) : schedule.Timesteps.Count;
        Check(begin < end, "denoising start and end", $"{request.DenoisingStart ?? 0} and {request.DenoisingEnd ?? 1}", "far enough apart to leave a step");
        return (begin == 0 ? schedule : schedule.BeginningAt(begin), begin, end);

        double Cutoff(double share) => Math.Round(scheduler.TrainTimesteps - share * scheduler.TrainTimesteps, MidpointRounding.ToEven);
    }

    /// <summary>Checks the clip skip against the text encoders' layers.</summary>
    /// <exception cref="ArgumentException">More layers are to be left out than the model has.</exception>
    public static void CheckClipSkip(ImageRequest request, int most) => Check(request.ClipSkip <= most, "clip skip", request.ClipSkip, $"at most {most} with this model's text encoders");

    private static void CheckMatches(IReadOnlyList<string> texts, int prompts, string name) =>
        Check(texts.Count == 0 || texts.Count == 1 || texts.Count == prompts, name, texts.Count, $"none, one for all, or {prompts} like the prompts");

    private static void Check(bool condition, string name, object found, string expected)
    {
        if (!condition) throw new ArgumentException($"{name} is {found}; it must be {expected}.");
    }

    /// <summary>One text per prompt out of none, one or several.</summary>
    public static string[] PerPrompt(IReadOnlyList<string> texts, IReadOnlyList<string> fallback, int prompts)
    {
        var source = texts.Count > 0 ? texts : fallback;
        return [.. Enumerable.Range(0, prompts).Select(i => source.Count == 0 ? "" : source[source.Count == 1 ? 0 : i])];
    }
}
