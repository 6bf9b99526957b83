using System.CommandLine;
using System.Text.Json;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options of <c>ilgd generate</c>, and the request made from them.</summary>
internal sealed class GenerateOptions
{
    private readonly Argument<string?> prompt =
        new("prompt") { Description = "What the image should show; - reads it from stdin", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> prompts =
        new("--prompts") { Description = "File with one prompt per line, all with the same settings; - reads stdin", HelpName = "FILE" };
    private readonly Option<string?> from =
        new("--from") { Description = "Generates the image of a file again; other options override its settings", HelpName = "FILE" };
    private readonly Option<string?> prompt2 = new("--prompt-2")
    {
        Description = "Prompt of the second text encoder; the same if left out",
        HelpName = "T"
    };
    private readonly Option<string?> negative = new("--negative-prompt", "-n") { Description = "What it should not show", HelpName = "T" };
    private readonly Option<string?> negative2 = new("--negative-prompt-2")
    {
        Description = "Negative prompt of the second text encoder",
        HelpName = "T"
    };
    private readonly Option<int?> clipSkip =
        Options.Natural("--clip-skip", "Takes the text encoders' hidden state N layers earlier, 0 for none");
    private readonly Option<int?> steps = Options.Positive("--steps", "Denoising steps; more is slower and finer").Short("-s");
    private readonly Option<double?> guidanceScale =
        Options.Number("--guidance-scale", "Scale of classifier-free guidance, 0 to 1000; 1 and below turn it off");
    private readonly Option<double?> guidanceRescale =
        Options.Number("--guidance-rescale", "Reduces the contrast of guided images, 0 to 1");
    private readonly Option<int?> width =
        Options.Positive("--width", "Width in pixels, a multiple of the VAE's factor (8 for Stable Diffusion)").Short("-W");
    private readonly Option<int?> height = Options.Positive("--height", "Height in pixels, likewise").Short("-H");
    private readonly Option<int?> count = Options.Positive("--count", "Images, generated together: image i with seed + i");
    private readonly Option<Seed?> seed =
        Options.SeedNumber("--seed", "Seed, as in torch; -N means 2^64 - N; random and printed if left out");
    private readonly Option<string?> scheduler =
        Options.Scheduler("Sampling method, such as euler_a, \"DPM++ 2M Karras\" or a class name of diffusers; list shows all");
    private readonly Option<Dictionary<string, JsonElement>?> schedulerConfig =
        Options.Settings("--scheduler-config", "Overrides keys of the model's scheduler_config.json");
    private readonly Option<FreeU?> freeU = Options.FreeU("--freeu", "FreeU's factors for skip connections and backbone");
    private readonly Option<double?> eta = Options.Number("--eta", "Noise of DDIM and TCD, 0 to 1");
    private readonly Option<double[]?> sigmas =
        Options.Numbers("--sigmas", "Sigmas instead of a number of steps; the last one is the final noise level");
    private readonly Option<double[]?> timesteps = Options.Numbers("--timesteps", "Timesteps instead of a number of steps");
    private readonly Option<double?> denoisingStart =
        Options.Number("--denoising-start", "Continues from --latents, or --init-image, at this fraction of the run, 0 to 1");
    private readonly Option<double?> denoisingEnd = Options.Number("--denoising-end", "Stops at this fraction of the run, 0 to 1");
    private readonly ImageArguments images = new();
    private readonly RefinerArguments refiner = new();
    private readonly Option<PixelSize?> originalSize = Options.Size("--original-size", "Original size that the model is conditioned on");
    private readonly Option<PixelSize?> targetSize = Options.Size("--target-size", "Target size that the model is conditioned on");
    private readonly Option<(int Top, int Left)?> cropTopLeft =
        Options.Corner("--crop-top-left", "Cropping that the model is conditioned on");
    private readonly Option<PixelSize?> negativeOriginalSize =
        Options.Size("--negative-original-size", "Original size for the negative prompt");
    private readonly Option<PixelSize?> negativeTargetSize =
        Options.Size("--negative-target-size", "Target size for the negative prompt; both are needed");
    private readonly Option<(int Top, int Left)?> negativeCropTopLeft =
        Options.Corner("--negative-crop-top-left", "Cropping for the negative prompt");

    public void AddTo(GroupedCommand command, Option output)
    {
        command.Add(prompt);
        command.AddGroup("Image", output, prompts, from, negative, width, height, count, seed, steps, guidanceScale);
        command.AddGroup("Image to image", [.. images.All]);
        command.AddGroup("Sampling", scheduler, schedulerConfig, eta, sigmas, timesteps, denoisingStart, denoisingEnd, guidanceRescale,
            freeU, clipSkip);
        command.AddGroup("SDXL: refiner, prompts of each text encoder, and size conditioning", [.. refiner.All, prompt2, negative2,
            originalSize, targetSize, cropTopLeft, negativeOriginalSize, negativeTargetSize, negativeCropTopLeft]);
    }

    /// <summary>The options that may differ between images of one model.</summary>
    public IEnumerable<Option> Varied =>
    [
        negative, width, height, seed, steps, guidanceScale, .. images.All, scheduler, schedulerConfig, eta, sigmas, timesteps,
        denoisingEnd, guidanceRescale, freeU, clipSkip, prompt2, negative2, originalSize, targetSize, cropTopLeft, negativeOriginalSize,
        negativeTargetSize, negativeCropTopLeft,
    ];

    /// <summary>Whether a prompt is given as an argument.</summary>
    public bool HasPrompt(ParseResult parsed) => parsed.GetValue(prompt) is not null;

    /// <summary>Whether the seed is drawn at random.</summary>
    public bool DrawsSeed(ParseResult parsed, GenerationMetadata? origin) => (parsed.GetValue(seed) ?? origin?.Request.Seed) is null;

    /// <summary>The image file to generate again; null where none is given.</summary>
    public string? OriginFile(ParseResult parsed) => parsed.GetValue(from);

    /// <summary>The metadata of that image.</summary>
    public GenerationMetadata? Origin(ParseResult parsed) => parsed.GetValue(from) is { } file ? GenerationMetadata.Read(file) : null;

    /// <summary>Images to change.</summary>
    public ImageArguments Images => images;

    /// <summary>The model that ends the run.</summary>
    public RefinerArguments Refiner => refiner;

    /// <summary>Checks options that must go together, before anything is loaded.</summary>
    /// <exception cref="ArgumentException">Some do not.</exception>
    public void Check(ParseResult parsed, GenerationMetadata? origin, bool hasLatents)
    {
        images.Check(parsed, origin, OriginFile(parsed), hasLatents);
        refiner.Check(parsed, origin, OriginFile(parsed), parsed.GetValue(denoisingEnd), images.HasMask(parsed));
    }

    /// <summary>Whether the schedulers are listed instead.</summary>
    public bool ListsSchedulers(ParseResult parsed) =>
        string.Equals(parsed.GetValue(scheduler), Options.SchedulerList, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether prompts come from the lines of a file.</summary>
    public bool HasPromptFile(ParseResult parsed) => parsed.GetValue(prompts) is not null;

    /// <summary>Number of images per prompt.</summary>
    /// <exception cref="DiffusionRequestException">They are more than a request allows; checked here, because file names are made before
    /// the request.</exception>
    public int Count(ParseResult parsed, GenerationMetadata? origin)
    {
        int each = parsed.GetValue(count) ?? origin?.Request.Count ?? 1;
        return each is >= 1 and <= ImageRequest.MaxImages ? each
            : throw new DiffusionRequestException(nameof(ImageRequest.Count),
                $"count is {each}; it must be between 1 and {ImageRequest.MaxImages}.");
    }

    /// <summary>The prompts, from the source that is given.</summary>
    public Task<IReadOnlyList<string>> PromptsAsync(ParseResult parsed, GenerationMetadata? origin, CancellationToken cancellation)
    {
        var (text, file) = (parsed.GetValue(prompt), parsed.GetValue(prompts));
        if (text is not null && file is not null) throw new ArgumentException("a prompt and --prompts are given; leave one of them out.");
        if (text is null && file is null && origin is not null) return Task.FromResult(origin.Request.Prompts);
        if (text is null && file is null)
            throw new ArgumentException("a prompt is missing: give it as an argument, - to read it from stdin, or --prompts FILE with one "
                +
                "per line.");
        return PromptSource.ReadAsync(text, file, cancellation);
    }

    /// <summary>
    /// The request for a loaded pipeline: that of the image to generate again, where there is one, overridden by the options.
    /// </summary>
    public ImageRequest Request(ParseResult parsed, string text, DiffusionPipeline pipeline, GenerationMetadata? origin, Latents? latents,
        (Image? Initial, Image? Mask) given)
    {
        var drawn = origin is null ? new ImageRequest(text)
            : (origin with { SchedulerName = null }).RequestFor(pipeline, latents, given.Initial, given.Mask);
        drawn = refiner.Apply(parsed, images.Apply(parsed, drawn with
        {
            DenoisingEnd = parsed.GetValue(denoisingEnd) ?? drawn.DenoisingEnd,
        }, given));
        var (levels, times, sizes) = (List(parsed, sigmas), List(parsed, timesteps), drawn.SizeConditioning);
        bool grid = parsed.GetValue(steps) is not null || levels is not null || times is not null;
        return drawn with
        {
            Prompts = [text],
            NegativePrompts = One(parsed.GetValue(negative)) ?? drawn.NegativePrompts,
            Prompts2 = One(parsed.GetValue(prompt2)) ?? drawn.Prompts2,
            NegativePrompts2 = One(parsed.GetValue(negative2)) ?? drawn.NegativePrompts2,
            ClipSkip = parsed.GetValue(clipSkip) ?? drawn.ClipSkip,
            Steps = grid ? parsed.GetValue(steps) : drawn.Steps,
            Sigmas = grid ? levels : drawn.Sigmas,
            Timesteps = grid ? times : drawn.Timesteps,
            GuidanceScale = parsed.GetValue(guidanceScale) ?? drawn.GuidanceScale,
            GuidanceRescale = parsed.GetValue(guidanceRescale) ?? drawn.GuidanceRescale,
            Width = parsed.GetValue(width) ?? drawn.Width,
            Height = parsed.GetValue(height) ?? drawn.Height,
            Count = Count(parsed, origin),
            Seed = parsed.GetValue(seed) ?? drawn.Seed,
            Scheduler = SchedulerFor(parsed, pipeline, origin),
            FreeU = parsed.GetValue(freeU) ?? drawn.FreeU,
            Eta = parsed.GetValue(eta) ?? drawn.Eta,
            DenoisingStart = parsed.GetValue(denoisingStart) ?? drawn.DenoisingStart,
            Latents = latents,
            SizeConditioning = new SizeConditioning
            {
                OriginalSize = parsed.GetValue(originalSize) ?? sizes.OriginalSize,
                TargetSize = parsed.GetValue(targetSize) ?? sizes.TargetSize,
                CropTopLeft = parsed.GetValue(cropTopLeft) ?? sizes.CropTopLeft,
                NegativeOriginalSize = parsed.GetValue(negativeOriginalSize) ?? sizes.NegativeOriginalSize,
                NegativeTargetSize = parsed.GetValue(negativeTargetSize) ?? sizes.NegativeTargetSize,
                NegativeCropTopLeft = parsed.GetValue(negativeCropTopLeft) ?? sizes.NegativeCropTopLeft,
            },
        };
    }

    /// <summary>The file name of image i: numbered when there are several; null when none was given.</summary>
    public static string? Numbered(string? output, int index, int images) => output is null || images == 1
        ? output
        : Path.Combine(Path.GetDirectoryName(output) ?? "",
            $"{Path.GetFileNameWithoutExtension(output)}-{index + 1}{Path.GetExtension(output)}");

    private Scheduler? SchedulerFor(ParseResult parsed, DiffusionPipeline pipeline, GenerationMetadata? origin)
    {
        var (name, settings) = (parsed.GetValue(scheduler), parsed.GetValue(schedulerConfig));
        foreach (string key in settings?.Keys ?? Enumerable.Empty<string>())
            if (!Scheduler.KnownConfigKeys.Contains(key))
                throw new ArgumentException(
                    $"--scheduler-config: no scheduler reads '{key}'. Known keys: {string.Join(", ", Scheduler.KnownConfigKeys)}.");
        if (name is null && origin?.SchedulerName is { } drawn)
        {
            var merged = new Dictionary<string, JsonElement>(origin.SchedulerSettings);
            foreach (var (key, value) in settings ?? []) merged[key] = value;
            (name, settings) = (drawn, merged);
        }

        return name is null && settings is null ? null : pipeline.CreateScheduler(name, settings);
    }

    /// <summary>Null when the option is absent, for which the parser returns an empty list.</summary>
    private static double[]? List(ParseResult parsed, Option<double[]?> option) =>
        parsed.GetResult(option) is null ? null : parsed.GetValue(option);

    private static string[]? One(string? text) => text is null ? null : [text];
}
