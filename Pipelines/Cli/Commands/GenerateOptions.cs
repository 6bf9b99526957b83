using System.CommandLine;
using System.Text.Json;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The arguments of <c>ilgd generate</c> and the request that they make.</summary>
internal sealed class GenerateOptions
{
    private readonly Argument<string?> prompt =
        new("prompt") { Description = "What the image should show; - reads it from stdin", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> prompts =
        new("--prompts") { Description = "File with a prompt a line, each drawn with the same settings; - is stdin", HelpName = "FILE" };
    private readonly Option<string?> from =
        new("--from") { Description = "Draws the image of a PNG again; other options replace what it says", HelpName = "FILE.png" };
    private readonly Option<string?> prompt2 = new("--prompt-2") { Description = "Prompt of the second text encoder, if it should read another one", HelpName = "T" };
    private readonly Option<string?> negative = new("--negative-prompt", "-n") { Description = "What it should not show", HelpName = "T" };
    private readonly Option<string?> negative2 = new("--negative-prompt-2") { Description = "Negative prompt of the second text encoder", HelpName = "T" };
    private readonly Option<int?> clipSkip =
        Options.Natural("--clip-skip", "Takes the text encoders' hidden state N layers earlier, 0 for none");
    private readonly Option<int?> steps = Options.Positive("--steps", "Denoising steps; more is slower and finer").Short("-s");
    private readonly Option<double?> guidanceScale =
        Options.Number("--guidance-scale", "How strongly the prompt guides, 0 to 1000; up to 1 there is no guidance");
    private readonly Option<double?> guidanceRescale = Options.Number("--guidance-rescale", "Pulls the contrast of guided images back, 0 to 1");
    private readonly Option<int?> width =
        Options.Positive("--width", "Width in pixels, a multiple of the VAE's factor (8 for Stable Diffusion)").Short("-W");
    private readonly Option<int?> height = Options.Positive("--height", "Height in pixels, likewise").Short("-H");
    private readonly Option<int?> count = Options.Positive("--count", "Images, drawn together: image i with seed + i");
    private readonly Option<Seed?> seed = Options.SeedNumber("--seed", "Seed, as torch's; -N means 2^64 - N; drawn and printed if left out");
    private readonly Option<string?> scheduler =
        Options.Scheduler("Sampling method, such as euler_a, \"DPM++ 2M Karras\" or a class name of diffusers; list shows all");
    private readonly Option<Dictionary<string, JsonElement>?> schedulerConfig = Options.Settings("--scheduler-config", "Overrides keys of the model's scheduler_config.json");
    private readonly Option<FreeU?> freeU = Options.FreeU("--freeu", "FreeU's factors for skip connections and backbone");
    private readonly Option<double?> eta = Options.Number("--eta", "Noise of DDIM, 0 to 1");
    private readonly Option<double[]?> sigmas = Options.Numbers("--sigmas", "Noise levels instead of a number of steps; the last is where the run ends");
    private readonly Option<double[]?> timesteps = Options.Numbers("--timesteps", "Timesteps instead of a number of steps");
    private readonly Option<double?> denoisingStart = Options.Number("--denoising-start", "Goes on with --latents from this share of the run, 0 to 1");
    private readonly Option<double?> denoisingEnd = Options.Number("--denoising-end", "Stops at this share of the run, 0 to 1");
    private readonly Option<PixelSize?> originalSize = Options.Size("--original-size", "Size that the image should seem to be cut from");
    private readonly Option<PixelSize?> targetSize = Options.Size("--target-size", "Size that the image should seem to have");
    private readonly Option<(int Top, int Left)?> cropTopLeft = Options.Corner("--crop-top-left", "Pixels that seem to be cut off");
    private readonly Option<PixelSize?> negativeOriginalSize = Options.Size("--negative-original-size", "The same for the negative prompt");
    private readonly Option<PixelSize?> negativeTargetSize = Options.Size("--negative-target-size", "The same for the negative prompt; both are needed");
    private readonly Option<(int Top, int Left)?> negativeCropTopLeft = Options.Corner("--negative-crop-top-left", "The same for the negative prompt");

    public void AddTo(GroupedCommand command, Option output)
    {
        command.Add(prompt);
        command.AddGroup("Image", output, prompts, from, negative, width, height, count, seed, steps, guidanceScale);
        command.AddGroup("Sampling", scheduler, schedulerConfig, eta, sigmas, timesteps, denoisingStart, denoisingEnd, guidanceRescale,
            freeU, clipSkip);
        command.AddGroup("SDXL: what each text encoder reads, and the sizes that the model is told", prompt2, negative2,
            originalSize, targetSize, cropTopLeft, negativeOriginalSize, negativeTargetSize, negativeCropTopLeft);
    }

    /// <summary>Whether the user left the seed to us.</summary>
    public bool DrawsSeed(ParseResult parsed, GenerationMetadata? origin) => (parsed.GetValue(seed) ?? origin?.Request.Seed) is null;

    /// <summary>The image to draw again, where one is named.</summary>
    public string? OriginFile(ParseResult parsed) => parsed.GetValue(from);

    /// <summary>How that image was drawn.</summary>
    public GenerationMetadata? Origin(ParseResult parsed) => parsed.GetValue(from) is { } file ? GenerationMetadata.Read(file) : null;

    /// <summary>Whether the schedulers are to be listed instead.</summary>
    public bool ListsSchedulers(ParseResult parsed) =>
        string.Equals(parsed.GetValue(scheduler), Options.SchedulerList, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether each prompt has a line of a file.</summary>
    public bool HasPromptFile(ParseResult parsed) => parsed.GetValue(prompts) is not null;

    /// <summary>How many images a prompt gives.</summary>
    /// <exception cref="DiffusionRequestException">They are more than a request may ask for; names for them are made before the request is.</exception>
    public int Count(ParseResult parsed, GenerationMetadata? origin)
    {
        int each = parsed.GetValue(count) ?? origin?.Request.Count ?? 1;
        return each is >= 1 and <= ResolvedRequest.MaxImages ? each
            : throw new DiffusionRequestException(nameof(ImageRequest.Count), $"count is {each}; it must be between 1 and {ResolvedRequest.MaxImages}.");
    }

    /// <summary>The prompts, from wherever they come.</summary>
    public Task<IReadOnlyList<string>> PromptsAsync(ParseResult parsed, GenerationMetadata? origin, CancellationToken cancellation)
    {
        var (text, file) = (parsed.GetValue(prompt), parsed.GetValue(prompts));
        if (text is not null && file is not null) throw new ArgumentException("a prompt and --prompts are given; leave one of them out.");
        if (text is null && file is null && origin is not null) return Task.FromResult(origin.Request.Prompts);
        if (text is null && file is null)
            throw new ArgumentException("a prompt is missing: ilgd generate PROMPT draws it, - reads it from stdin, --prompts FILE reads " +
                "one a line.");
        return PromptSource.ReadAsync(text, file, cancellation);
    }

    /// <summary>The request, for a loaded pipeline: that of the image to draw again, where there is one, with what the options say
    /// instead.</summary>
    public ImageRequest Request(ParseResult parsed, string text, DiffusionPipeline pipeline, GenerationMetadata? origin, Latents? latents,
        bool keepIntermediates)
    {
        var drawn = origin is null ? new ImageRequest(text) : (origin with { SchedulerName = null }).RequestFor(pipeline, latents);
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
            DenoisingEnd = parsed.GetValue(denoisingEnd) ?? drawn.DenoisingEnd,
            Latents = latents,
            KeepIntermediates = keepIntermediates,
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

    /// <summary>The file of image i as it was asked for: numbered when there are several; null when no name was.</summary>
    public static string? Numbered(string? output, int index, int images) => output is null || images == 1
        ? output
        : Path.Combine(Path.GetDirectoryName(output) ?? "",
            $"{Path.GetFileNameWithoutExtension(output)}-{index + 1}{Path.GetExtension(output)}");

    private Scheduler? SchedulerFor(ParseResult parsed, DiffusionPipeline pipeline, GenerationMetadata? origin)
    {
        var (name, settings) = (parsed.GetValue(scheduler), parsed.GetValue(schedulerConfig));
        foreach (string key in settings?.Keys ?? Enumerable.Empty<string>())
            if (!Scheduler.KnownConfigKeys.Contains(key)) throw new ArgumentException($"--scheduler-config: no scheduler knows '{key}'. Known are {string.Join(", ", Scheduler.KnownConfigKeys)}.");
        if (name is null && origin?.SchedulerName is { } drawn)
        {
            var merged = new Dictionary<string, JsonElement>(origin.SchedulerSettings);
            foreach (var (key, value) in settings ?? []) merged[key] = value;
            (name, settings) = (drawn, merged);
        }

        return name is null && settings is null ? null : pipeline.CreateScheduler(name, settings);
    }

    /// <summary>Null when the option is absent, for which the parser itself answers an empty list.</summary>
    private static double[]? List(ParseResult parsed, Option<double[]?> option) => parsed.GetResult(option) is null ? null : parsed.GetValue(option);

    private static string[]? One(string? text) => text is null ? null : [text];
}
