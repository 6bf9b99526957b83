using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>
/// A loaded model of a family: its components, and how prompts become conditioning and conditioning a prediction. A pipeline drives it.
/// Thread-safe.
/// </summary>
public abstract class DiffusionModel
{
    private GraphCache<PredictionOptions>? graphs;

    /// <summary>What requests are checked against.</summary>
    public abstract ModelLimits Limits { get; }

    /// <summary>Name of the denoiser's component, for messages: <c>unet</c>, <c>transformer</c>.</summary>
    public abstract string DenoiserName { get; }

    /// <summary>The denoiser as layers.</summary>
    public abstract Layer Denoiser { get; }

    /// <summary>Encodes images into latents and decodes them.</summary>
    public abstract Autoencoder Vae { get; }

    /// <summary>The type that the denoiser computes in.</summary>
    public abstract DType DType { get; }

    /// <summary>Number of tokens in the conditioning of a prompt; 0 if that differs from prompt to prompt.</summary>
    public abstract int PromptTokens { get; }

    /// <summary>The text encoders' graphs compiled so far.</summary>
    public virtual IEnumerable<CompiledGraph> TextEncoderGraphs => [];

    /// <summary>Factors that turn latents into a rough image; null if the family has none.</summary>
    public virtual LatentPreview? Preview => null;

    /// <summary>The denoiser's graphs compiled so far.</summary>
    internal IEnumerable<CompiledGraph> DenoiserGraphs => graphs?.Compiled ?? [];

    /// <summary>
    /// Encodes prompts, or negative prompts. The results stay on the device: tensors [prompts, …] by the names of the denoiser's inputs.
    /// </summary>
    public abstract IReadOnlyDictionary<string, Tensor> Encode(PromptBatch prompts, EncodeContext context);

    /// <summary>
    /// Conditioning that depends on the request and not on its prompts: the numbers of one entry, by the names of the denoiser's inputs.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="size">Size of the image.</param>
    /// <param name="negative">Whether the entry belongs to negative prompts.</param>
    public virtual IReadOnlyDictionary<string, float[]> Numbers(ImageRequest request, PixelSize size, bool negative) =>
        new Dictionary<string, float[]>();

    /// <summary>Records a prediction: see <see cref="PredictionTrace.Record"/>.</summary>
    public abstract Graph Trace(PredictionOptions options);

    /// <summary>Adds what the model determines about a schedule, such as a shift by the image's size.</summary>
    public virtual ScheduleRequest Schedule(ScheduleRequest request, PixelSize size) => request;

    /// <summary>
    /// Prepares what the loop evaluates in every step: by default one plan of <see cref="Trace"/>. A family with several plans per step
    /// overrides it.
    /// </summary>
    /// <param name="options">What the prediction must do.</param>
    /// <param name="setup">Conditioning, guidance and sizes.</param>
    /// <param name="arenas">Memory of the device.</param>
    /// <param name="cancellation">Cancels compilation and uploads.</param>
    public virtual StepModel CreateStep(PredictionOptions options, StepSetup setup, ArenaPool arenas, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(setup);
        ArgumentNullException.ThrowIfNull(arenas);
        int tokens = setup.Inputs.Values.SelectMany(entries => entries).Where(e => e.Shape.Rank == 3).Select(e => e.Shape[1])
            .FirstOrDefault(PromptTokens);
        var (graph, sizes) = (DenoiserGraph(options, arenas), SizesOf(setup.Images, setup.Height, setup.Width, tokens));
        graph.Tune(sizes, cancellation);
        var plan = graph.Rent(sizes, cancellation: cancellation);
        try
        {
            return new PlanStep(plan, arenas.Device, options, setup, cancellation);
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>Starts compiling in the background what a step needs and the device does not have yet.</summary>
    /// <param name="options">What the prediction must do.</param>
    /// <param name="images">Number of images.</param>
    /// <param name="height">Rows of latents.</param>
    /// <param name="width">Columns of latents.</param>
    /// <param name="arenas">Memory of the device.</param>
    /// <param name="cancellation">Skips what has not started.</param>
    public virtual void PrepareStep(PredictionOptions options, int images, int height, int width, ArenaPool arenas,
        CancellationToken cancellation)
    {
        if (PromptTokens > 0) DenoiserGraph(options, arenas).Prepare(SizesOf(images, height, width, PromptTokens), cancellation);
    }

    /// <summary>Frees what is kept for the next request.</summary>
    public virtual void Trim() { }

    /// <summary>The compiled graph of a prediction.</summary>
    internal CompiledGraph DenoiserGraph(PredictionOptions options, ArenaPool arenas) =>
        LazyInitializer.EnsureInitialized(ref graphs, () => new GraphCache<PredictionOptions>(Denoiser, arenas)).Get(options, Trace);

    private static Sizes SizesOf(int images, int height, int width, int tokens) =>
        new(("images", images), ("height", height), ("width", width), ("tokens", tokens));
}
