using System.Collections.Concurrent;
using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// Generates images from prompts with a model. Loading memory-maps the weights, so it is fast, and processes share the memory. One pipeline
/// can serve several requests at the same time.
/// </summary>
public sealed partial class DiffusionPipeline : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> reported = new(); // compile notes that a result already has
    private readonly ActiveRequests requests = new(typeof(DiffusionPipeline));
    private readonly PipelineOptions options;
    private readonly IModelSource source;
    private readonly ModelScheduler schedulers;
    private readonly ArenaPool arenas;
    private readonly DenoisingContexts contexts;
    private readonly IDisposable owned;
    private readonly ComponentQuantizer quantizer;
    private Scheduler? scheduler;

    private DiffusionPipeline(IModelSource source, DiffusionModel model, ModelScheduler schedulers, PipelineOptions options,
        ArenaPool arenas, DenoisingContexts contexts, IDisposable owned, ComponentQuantizer quantizer)
    {
        (this.source, Model, this.schedulers, this.options) = (source, model, schedulers, options);
        (this.arenas, this.contexts, this.owned, this.quantizer) = (arenas, contexts, owned, quantizer);
        if (options.VaeTiling is { } tiling) _ = Vae.Grid(tiling); // throws for tiles that are not whole latents
    }

    /// <summary>The model's name: its folder's or file's; <c>owner/name</c> for a model in the Hugging Face Hub's cache.</summary>
    public string Name => source.Name;

    /// <summary>The pipeline class of diffusers that the model is made for, such as <c>StableDiffusionXLPipeline</c>.</summary>
    public string PipelineClass => source.ClassName;

    /// <summary>The device that the pipeline runs on.</summary>
    public Device Device => arenas.Device;

    /// <summary>The type that the denoiser computes in; <see cref="Precisions"/> has all components.</summary>
    public DType DType => Model.DType;

    /// <summary>What each component computes in, and why: text encoders, denoiser, autoencoder.</summary>
    public IReadOnlyList<ComponentPrecision> Precisions { get; private init; } = [];

    /// <summary>What requests are checked against, with the settings of requests that leave them out.</summary>
    public ModelLimits Limits => Model.Limits;

    /// <summary>Settings of requests that leave them out.</summary>
    public PipelineDefaults Defaults => Limits.Defaults;

    /// <summary>
    /// The scheduler of requests that set none: <see cref="PipelineOptions.Scheduler"/>, else the model's own, created on first use.
    /// <see cref="CreateScheduler"/> creates others for this model.
    /// </summary>
    /// <exception cref="ModelFileException">The model's own scheduler is not supported, or its configuration is unusable; requests can set
    /// another one.</exception>
    public Scheduler Scheduler => scheduler ??= CreateScheduler(options.Scheduler);

    /// <summary>Encodes images into latents and decodes them.</summary>
    public Autoencoder Vae => Model.Vae;

    /// <summary>
    /// The denoising model as layers: <see cref="Layer.Compile"/>, <see cref="Layer.CompileRepeatedBlocks"/> and
    /// <see cref="Layer.CompileRegions"/> select how it runs.
    /// </summary>
    public Layer Denoiser => Model.Denoiser;

    /// <summary>Reports of all graphs compiled so far: denoiser, autoencoder, text encoders.</summary>
    public IReadOnlyList<CompileReport> CompileReports =>
        [.. Denoisers.Concat(Vae.Compiled).Concat(Model.TextEncoderGraphs).Select(graph => graph.CompileReport)];

    /// <summary>The requested variant of the weights; null for none.</summary>
    internal string? Variant => string.IsNullOrEmpty(options.Variant) ? null : options.Variant;

    /// <summary>How components that compute in Float32 multiply.</summary>
    internal Float32Precision Float32Precision => options.Float32Precision;

    /// <summary>The autoencoder's type, unless that follows from <see cref="DType"/>.</summary>
    internal DType? VaeDType => options.VaeDType ?? (Vae.DType == DType ? null : Vae.DType);

    /// <summary>The text encoders' type, unless it is <see cref="DType"/>.</summary>
    internal DType? TextEncoderDType => options.TextEncoderDType;

    /// <summary>The denoiser graphs compiled so far, one per combination of guidance options.</summary>
    internal IEnumerable<CompiledGraph> Denoisers => Model.DenoiserGraphs;

    /// <summary>The model.</summary>
    internal DiffusionModel Model { get; }

    /// <summary>
    /// A scheduler for this model: its scheduler_config.json with another class or other settings. As in diffusers, StableDiffusionPipeline
    /// takes an old file's <c>steps_offset</c> as 1 and <c>clip_sample</c> as false.
    /// </summary>
    /// <param name="name">diffusers' class name or a short name such as <c>euler</c>; null keeps the model's own.</param>
    /// <param name="settings">Keys of scheduler_config.json that replace the file's; a null is Python's None.</param>
    /// <exception cref="DiffusionRequestException">No scheduler has that name; the message lists the known ones.</exception>
    /// <exception cref="ModelFileException">The model's own scheduler is requested and not supported, or a setting is unusable.</exception>
    public Scheduler CreateScheduler(string? name = null, IEnumerable<KeyValuePair<string, JsonElement>>? settings = null) =>
        schedulers.Create(name, settings);

    /// <summary>Generates images.</summary>
    /// <param name="request">Prompts and settings.</param>
    /// <param name="progress">Called after every step.</param>
    /// <param name="cancellation">Cancels the request within a step; its memory is then freed, and the pipeline can serve the next
    /// one.</param>
    /// <remarks>
    /// The memory of a successful request's largest stage is kept for the next one, with the plans in it; <see cref="Trim"/> frees it.
    /// Concurrent requests have separate memory: as much is kept as was used at the same time. The denoising loop allocates nothing.
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
    /// Encodes a request's prompts and, with guidance, its negative prompts; diffusers' <c>encode_prompt</c>. Requests with the result as
    /// <see cref="ImageRequest.Embeddings"/> give the same images.
    /// </summary>
    /// <exception cref="DiffusionRequestException">This model cannot serve the request.</exception>
    public Task<PromptEmbeddings> EncodePromptsAsync(ImageRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Task.Run(() => requests.Run(token => RequestConditioning.Download(Model, Resolve(request), Device, token), cancellation),
            cancellation);
    }

    /// <summary>
    /// Computes the projections of every attention that have one input as one GEMM, compiled or not: query, key and value of
    /// self-attention, key and value of cross-attention. Compiled models do so by default. Results are bit-identical.
    /// </summary>
    /// <param name="unet">Whether to change the denoiser.</param>
    /// <param name="vae">Whether to change the autoencoder.</param>
    /// <param name="textEncoders">Whether to change the text encoders.</param>
    /// <exception cref="NotSupportedException">One of these parts has no attention that supports this; nothing is changed.</exception>
    public void FuseQkvProjections(bool unet = true, bool vae = true, bool textEncoders = false)
    {
        if (textEncoders && !quantizer.Models.Values.Any(model => model.Part == QuantizedParts.TextEncoders))
            throw new NotSupportedException($"{PipelineClass} has no text encoders whose query, key and value projections can be fused; "
                + $"leave them out: {nameof(FuseQkvProjections)}({nameof(textEncoders)}: false).");
        foreach (var (part, layer) in Parts(unet, vae, textEncoders))
            if (!layer.CanFuseQkvProjections)
                throw new NotSupportedException($"The {part} of {PipelineClass} ({layer.GetType().Name}) has no attention whose query, key "
                    + $"and value projections can be fused; leave it out: {nameof(FuseQkvProjections)}({part}: false).");
        foreach (var (_, layer) in Parts(unet, vae, textEncoders)) layer.FuseQkvProjections();
    }

    /// <summary>Computes the projections of every attention as separate GEMMs, compiled or not.</summary>
    /// <param name="unet">Whether to change the denoiser.</param>
    /// <param name="vae">Whether to change the autoencoder.</param>
    /// <param name="textEncoders">Whether to change the text encoders.</param>
    public void UnfuseQkvProjections(bool unet = true, bool vae = true, bool textEncoders = false)
    {
        foreach (var (_, layer) in Parts(unet, vae, textEncoders)) layer.UnfuseQkvProjections();
    }

    /// <summary>Frees the memory kept for the next request; running requests keep theirs.</summary>
    public void Trim()
    {
        Model.Trim();
        contexts.Trim();
        arenas.Trim();
    }

    /// <summary>
    /// Cancels the running requests and waits for them, frees the device's memory and unmaps the weights. Must not be called from a
    /// progress callback, since it would wait for that callback.
    /// </summary>
    public void Dispose()
    {
        requests.Dispose();
        owned.Dispose();
    }

    /// <summary>Checks a request and fills in this model's defaults.</summary>
    /// <exception cref="InvalidOperationException">The pipeline has no weights.</exception>
    internal ResolvedRequest Resolve(ImageRequest request) => options.LoadWeights
        ? ResolvedRequest.Resolve(request with { VaeTiling = request.VaeTiling ?? options.VaeTiling }, Limits, () => Scheduler,
            Model.Schedule)
        : throw new InvalidOperationException($"{Name} was loaded without weights ({nameof(PipelineOptions)}."
            + $"{nameof(PipelineOptions.LoadWeights)} is false): only its plans can be inspected and tuned.");

    internal GenerationResult Generate(ImageRequest request, IProgress<GenerationProgress>? progress, CancellationToken cancellation,
        Func<NoiseSource>? recordedNoise = null, StepPreviews? previews = null) =>
        requests.Run(token =>
        {
            try
            {
                return new Generation(this, arenas, contexts, Resolve(request), progress, recordedNoise, previews, token).Run();
            }
            catch
            {
                Trim(); // memory is kept for the next request only after success
                throw;
            }
        }, cancellation);

    /// <summary>The notes about compilations that no result has yet.</summary>
    internal IEnumerable<string> NewNotes() =>
        CompileReports.SelectMany(report => report.Notes).Where(note => reported.TryAdd(note, true));

    private IEnumerable<(string Part, Layer Layer)> Parts(bool unet, bool vae, bool textEncoders)
    {
        if (unet) yield return ("unet", Denoiser);
        if (vae) yield return ("vae", Vae.Encoder);
        if (vae) yield return ("vae", Vae.Decoder);
        foreach (var (model, part) in quantizer.Models.Values)
            if (textEncoders && part == QuantizedParts.TextEncoders) yield return (nameof(textEncoders), model);
    }
}
