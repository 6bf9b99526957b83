using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// Generates images from prompts with a model folder in diffusers' format. Loading memory-maps the weights, so it is fast, and processes
/// share the memory. One pipeline can serve several requests at the same time.
/// </summary>
public abstract class DiffusionPipeline : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> told = new(); // compile notes that a result already has
    private readonly GraphCache<GuidedDenoiser.GraphKey> denoisers;
    private readonly PipelineComponents parts;
    private readonly ActiveRequests requests;
    private Scheduler? scheduler;

    private protected DiffusionPipeline(PipelineComponents parts) =>
        (this.parts, requests, denoisers) =
            (parts, new ActiveRequests(GetType()), new GraphCache<GuidedDenoiser.GraphKey>(parts.UNet, parts.Arenas));

    /// <summary>The model folder's name; <c>owner/name</c> for a model in the Hugging Face Hub's cache.</summary>
    public string Name => parts.Folder.Name;

    /// <summary>The device that the pipeline runs on.</summary>
    public Device Device => parts.Arenas.Device;

    /// <summary>The type that the models compute in.</summary>
    public DType DType => parts.DType;

    /// <summary>Settings of requests that leave them out.</summary>
    public PipelineDefaults Defaults => parts.Defaults;

    /// <summary>
    /// The scheduler of requests that set none: by default the model's own, of the class that model_index.json names, created on first use.
    /// <see cref="CreateScheduler"/> creates others for this model.
    /// </summary>
    /// <exception cref="ModelFileException">The model's own scheduler is not supported, or its configuration is unusable; another one can
    /// be set.</exception>
    public Scheduler Scheduler
    {
        get => scheduler ??= CreateScheduler();
        set => scheduler = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>Encodes images into latents and decodes them; tiling is enabled here.</summary>
    public Autoencoder Vae => parts.Vae;

    /// <summary>
    /// The denoising model as layers: <see cref="Layer.Compile"/>, <see cref="Layer.CompileRepeatedBlocks"/> and
    /// <see cref="Layer.CompileRegions"/> select how it runs.
    /// </summary>
    public Layer Denoiser => parts.UNet;

    /// <summary>Reports of all graphs compiled so far: denoiser, autoencoder, text encoders.</summary>
    public IReadOnlyList<CompileReport> CompileReports =>
        [.. denoisers.Compiled.Concat(Vae.Compiled).Concat(parts.TextEncoderGraphs).Select(graph => graph.CompileReport)];

    /// <summary>The requested variant of the weights; null for none.</summary>
    internal string? Variant => parts.Variant;

    /// <summary>Quantization of the denoiser's linear layers.</summary>
    internal QuantizationMode Quantize => parts.Quantize;

    /// <summary>The denoiser graphs compiled so far, one per combination of guidance options.</summary>
    internal IEnumerable<CompiledGraph> Denoisers => denoisers.Compiled;

    private protected UNet2DConditionModel UNet => parts.UNet;

    /// <summary>Loads the pipeline class that the folder's model_index.json names.</summary>
    /// <param name="path">A folder in diffusers' format.</param>
    /// <param name="options">Device and weight files.</param>
    /// <exception cref="ModelFileException">Something in the folder is missing or damaged, or the pipeline class is not
    /// supported.</exception>
    public static DiffusionPipeline FromPretrained(string path, PipelineOptions? options = null)
    {
        var folder = ModelFolder.Open(path);
        // before loading: other families have other components
        Func<PipelineComponents, DiffusionPipeline> compose = folder.ClassName switch
        {
            nameof(StableDiffusionXLPipeline) => parts => new StableDiffusionXLPipeline(parts),
            nameof(StableDiffusionPipeline) => parts => new StableDiffusionPipeline(parts),
            _ => throw folder.Index.Wrong("_class_name", $"{nameof(StableDiffusionXLPipeline)} or {nameof(StableDiffusionPipeline)}"),
        };
        var parts = PipelineComponents.Load(folder, options ?? new());
        try
        {
            return compose(parts);
        }
        catch
        {
            parts.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A scheduler for this model: its scheduler_config.json with another class or other settings. As in diffusers, StableDiffusionPipeline
    /// takes an old file's <c>steps_offset</c> as 1 and <c>clip_sample</c> as false.
    /// </summary>
    /// <param name="name">diffusers' class name or a short name such as <c>euler</c>; null keeps the model's own.</param>
    /// <param name="settings">Keys of scheduler_config.json that replace the file's; a null is Python's None.</param>
    /// <exception cref="DiffusionRequestException">No scheduler has that name; the message lists the known ones.</exception>
    /// <exception cref="ModelFileException">The model's own scheduler is requested and not supported, or a setting is unusable.</exception>
    public Scheduler CreateScheduler(string? name = null,
        IEnumerable<KeyValuePair<string, System.Text.Json.JsonElement>>? settings = null) =>
        parts.Scheduler.Create(name, settings);

    /// <summary>Generates images.</summary>
    /// <param name="request">Prompts and settings.</param>
    /// <param name="progress">Called after every step.</param>
    /// <param name="cancellation">Cancels the request within a step; its memory is then freed, and the pipeline can serve the next
    /// one.</param>
    /// <remarks>
    /// The memory of a successful request's largest stage is kept for the next one; <see cref="Trim"/> frees it. Concurrent requests have
    /// separate memory. The denoising loop itself allocates nothing.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pipeline was disposed.</exception>
    /// <exception cref="NonFiniteException">A model computed NaN or infinity; the exception names the component, and the step.</exception>
    /// <exception cref="DiffusionRequestException">This model cannot serve the request; the message says why, and the exception names the
    /// property.</exception>
    public Task<GenerationResult> GenerateAsync(ImageRequest request, IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Task.Run(() => Generate(request, progress, cancellation), cancellation);
    }

    /// <summary>
    /// Computes query, key and value of every attention as one GEMM, compiled or not; compiled models do so by default. Results are
    /// bit-identical.
    /// </summary>
    /// <param name="unet">Whether to change the denoiser.</param>
    /// <param name="vae">Whether to change the autoencoder.</param>
    public void FuseQkvProjections(bool unet = true, bool vae = true) => EachOf(unet, vae, layer => layer.FuseQkvProjections());

    /// <summary>Computes query, key and value as three GEMMs, compiled or not.</summary>
    /// <param name="unet">Whether to change the denoiser.</param>
    /// <param name="vae">Whether to change the autoencoder.</param>
    public void UnfuseQkvProjections(bool unet = true, bool vae = true) => EachOf(unet, vae, layer => layer.UnfuseQkvProjections());

    /// <summary>Frees the memory kept for the next request; running requests keep theirs.</summary>
    public void Trim() => parts.Arenas.Trim();

    /// <summary>
    /// Cancels the running requests and waits for them, frees the device's memory and unmaps the weights. Must not be called from a
    /// progress callback, since it would wait for that callback.
    /// </summary>
    public void Dispose()
    {
        requests.Dispose();
        parts.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Checks the properties that depend on the model's text encoders.</summary>
    /// <exception cref="DiffusionRequestException">The model cannot serve the request.</exception>
    internal abstract void CheckPrompts(ImageRequest request);

    /// <summary>Encodes the request's prompts into conditions for every image.</summary>
    internal abstract Conditions Encode(ResolvedRequest form, List<string> warnings, CancellationToken cancellation);

    internal GenerationResult Generate(ImageRequest request, IProgress<GenerationProgress>? progress, CancellationToken cancellation,
        Func<NoiseSource>? recordedNoise = null) =>
        requests.Run(token =>
        {
            try
            {
                return Serve(request, progress, recordedNoise, token);
            }
            catch
            {
                Trim(); // memory is kept for the next request only after success
                throw;
            }
        }, cancellation);

    /// <summary>Checks a request and fills in this model's defaults.</summary>
    internal ResolvedRequest Resolve(ImageRequest request) => ResolvedRequest.Resolve(request, this, Vae.SpatialFactor, UNet.InChannels);

    private GenerationResult Serve(ImageRequest request, IProgress<GenerationProgress>? progress, Func<NoiseSource>? recordedNoise,
        CancellationToken cancellation)
    {
        // 0. Check the request and fill in defaults
        var form = Resolve(request);
        var (schedule, begin, end) = form.Schedule;
        Seed seed = request.Seed ?? Random.Shared.NextInt64(uint.MaxValue);
        var seeds = ImageNoise.Seeds(request, seed, form.Images);
        var noise = recordedNoise ?? (() => ImageNoise.Source(request, seeds));
        var warnings = new List<string>();
        if (request.Prompts.Any(string.IsNullOrWhiteSpace))
            warnings.Add("The prompt is empty: the model generates an image without a description.");
        var reports = new List<StageReport>();
        var clock = new StageClock(Device, reports);

        PrepareKernels(form, cancellation);

        // 1. Encode the prompts
        progress?.Report(new(GenerationStage.EncodePrompt, 0, 1));
        var conditions = Encode(form, warnings, cancellation);
        clock.Finish(GenerationStage.EncodePrompt);
        progress?.Report(new(GenerationStage.EncodePrompt, 1, 1));

        // 2. Prepare latents and loop
        var intermediates = new List<Latents>();
        Latents latents;
        clock.Restart();
        using (var run = Prepare(form, conditions, noise(), cancellation))
        {
            // 3. Denoise
            double compileSeconds = clock.Seconds;
            clock.Restart();
            for (int i = begin; i < end; i++)
            {
                run.Step(i, cancellation);
                if (run.BadValue is { } bad) throw NotFiniteAt(form, i, bad);
                if (request.KeepIntermediates) intermediates.Add(run.ReadLatents());
                progress?.Report(new(GenerationStage.Denoise, i - begin + 1, end - begin));
            }

            clock.Finish(GenerationStage.Denoise, run.Plan, compileSeconds);
            latents = run.ReadLatents();
        }

        if (NotFinite.IndexIn(latents.Values) >= 0) throw FirstNotFinite(form, conditions, noise(), cancellation);

        // 4. Decode
        var images = request.Decode ? Decode(latents, progress, clock, cancellation) : [];
        warnings.AddRange(CompileReports.SelectMany(report => report.Notes).Where(note => told.TryAdd(note, true)));
        return new GenerationResult
        {
            Images = [.. images.Select((image, i) => ImageMetadata.Attach(image, this, form, seeds, i))],
            Latents = latents,
            Intermediates = intermediates,
            Seeds = seeds,
            Warnings = warnings,
            Stages = reports,
            Settings = new GenerationSettings(form.Size, form.Steps, form.GuidanceScale, schedule.SchedulerName, end - begin),
        };
    }

    // On a GPU that has not run these models, compiling takes long: it begins with the last stages while the prompts are encoded.
    private void PrepareKernels(ResolvedRequest form, CancellationToken cancellation)
    {
        if (!Device.CompilesKernels) return;
        DenoiserOf(form).Prepare(SizesOf(form, parts.PromptTokens), cancellation);
        if (form.Request.Decode) Vae.PrepareDecoder(form.LatentHeight, form.LatentWidth, cancellation);
    }

    private static GuidedDenoiser.GraphKey GuidanceOf(ResolvedRequest form) =>
        new(form.Guided, form.Guided && form.Request.GuidanceRescale > 0, form.Request.FreeU);

    private CompiledGraph DenoiserOf(ResolvedRequest form) =>
        denoisers.Get(GuidanceOf(form), guidance => GuidedDenoiser.Trace(UNet, guidance, parts.DType));

    private static Sizes SizesOf(ResolvedRequest form, int tokens) =>
        new(("images", form.Images), ("height", form.LatentHeight), ("width", form.LatentWidth), ("tokens", tokens));

    // On a GPU the loop does not wait for values. After a run with non-finite latents it is repeated step by step to find the first such
    // step.
    private NonFiniteException FirstNotFinite(ResolvedRequest form, Conditions conditions, NoiseSource noise,
        CancellationToken cancellation)
    {
        var (_, begin, end) = form.Schedule;
        using var run = Prepare(form, conditions, noise, cancellation);
        for (int i = begin; i < end; i++)
        {
            run.Step(i, cancellation);
            float[] values = run.ReadLatents().Values;
            if (NotFinite.IndexIn(values) is >= 0 and var bad) return NotFiniteAt(form, i, values[bad]);
        }

        return new NonFiniteException("unet", null,
            "The latents held NaN or infinity after the last step, but were finite when the run was repeated: the device's results are not "
                + "reproducible.");
    }

    private NonFiniteException NotFiniteAt(ResolvedRequest form, int index, float value)
    {
        var (schedule, begin, end) = form.Schedule;
        int step = index - begin;
        return NotFinite.Error("unet", DType, value,
            $"in the latents after step {step + 1} of {end - begin} (timestep {schedule.Timesteps[index]:R})", step);
    }

    private DenoisingRun Prepare(ResolvedRequest form, Conditions conditions, NoiseSource noise, CancellationToken cancellation)
    {
        var schedule = form.Schedule.Schedule;
        var (key, graph, sizes) = (GuidanceOf(form), DenoiserOf(form), SizesOf(form, conditions.Text.Tokens));
        graph.Tune(sizes, cancellation);
        var plan = graph.Rent(sizes, cancellation: cancellation);
        DenoisingRun? run = null;
        try
        {
            Upload(conditions.Text.Hidden, plan.Input("encoder_hidden_states"));
            if (UNet.HasAddedConditions)
            {
                Upload(conditions.Text.Pooled, plan.Input("text_embeds"));
                Upload(conditions.TimeIds, plan.Input("time_ids"));
            }

            if (key.Guided) Upload([(float)(1 - form.GuidanceScale), (float)form.GuidanceScale], plan.Input("guidance"));
            if (key.Rescaled) Upload([(float)form.Request.GuidanceRescale], plan.Input("guidance_rescale"));
            run = new DenoisingRun(plan, Device, schedule, noise, cancellation);
            if (form.Request.Latents is { } given)
                run.SetLatents(given.Values, form.Request.DenoisingStart is null ? schedule.InitNoiseSigma : 1);
            else run.SetNoise(schedule.InitNoiseSigma);
            return run;
        }
        catch
        {
            ((IDisposable?)run ?? plan).Dispose(); // the run owns the plan once it exists
            throw;
        }
    }

    private Image[] Decode(Latents latents, IProgress<GenerationProgress>? progress, StageClock clock, CancellationToken cancellation)
    {
        clock.Restart();
        var images = new Image[latents.Batch];
        int size = latents.Values.Length / latents.Batch;
        for (int i = 0; i < images.Length; i++) // one image at a time, since decoding determines peak memory
        {
            images[i] = Vae.DecodeImage(latents with { Batch = 1, Values = latents.Values[(i * size)..((i + 1) * size)] }, cancellation);
            progress?.Report(new(GenerationStage.Decode, i + 1, images.Length));
        }

        clock.Finish(GenerationStage.Decode);
        return images;
    }

    private void EachOf(bool unet, bool vae, Action<Layer> change)
    {
        if (unet) change(Denoiser);
        foreach (var coder in vae ? [Vae.Encoder, Vae.Decoder] : Array.Empty<Layer>()) change(coder);
    }

    private void Upload(ReadOnlySpan<float> values, Tensor target) => Device.Upload(MemoryMarshal.AsBytes(values), target);
}
