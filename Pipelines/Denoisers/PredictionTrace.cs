using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.Requests;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>What selects the graph of a prediction; requests with equal options share it.</summary>
/// <param name="Guided">Whether negative prompts are evaluated too.</param>
/// <param name="Rescaled">Whether the guided prediction is rescaled.</param>
/// <param name="FreeU">FreeU's factors, or null.</param>
public sealed record PredictionOptions(bool Guided, bool Rescaled = false, FreeU? FreeU = null);

/// <summary>
/// Records one denoising prediction as one graph: scales the latents, lets the family evaluate its model for prompts and negative prompts
/// in one batch, and combines both. Every number that changes from step to step is an input, so nothing is compiled or read back in the
/// loop.
/// </summary>
/// <remarks>
/// Inputs, with n the number of images and m = 2n when guided (negative prompts first), else n: <c>latents</c> [n, h, w, c],
/// <c>input_scale</c> [1], <c>timestep</c> [m, 1, 1, 1], the family's conditioning [m, …], the guidance's numbers. All are Float32: only
/// the model, between the scaling of latents and guidance, computes in its own type. All but the first three are loop-invariant: what the
/// model computes from them alone is computed once per image. Output: <c>prediction</c> [n, h, w, c].
/// </remarks>
public sealed class PredictionTrace
{
    internal const string LatentsInput = "latents", ScaleInput = "input_scale", TimestepInput = "timestep", Prediction = "prediction";

    private readonly Graph graph;
    private readonly PredictionOptions options;
    private readonly DType dtype;
    private readonly Dim images = Dim.Symbol("images"), height = Dim.Symbol("height"), width = Dim.Symbol("width");
    private readonly Value latents;

    private PredictionTrace(Graph graph, PredictionOptions options, int channels, DType dtype)
    {
        (this.graph, this.options, this.dtype) = (graph, options, dtype);
        Entries = options.Guided ? images * 2 : images;
        latents = graph.Input(LatentsInput, DType.Float32, images, height, width, channels);
        Timestep = graph.Input(TimestepInput, DType.Float32, Entries, 1, 1, 1);
    }

    /// <summary>Number of entries in the model's batch, m.</summary>
    public Dim Entries { get; }

    /// <summary>The timestep of every entry, Float32 [m, 1, 1, 1].</summary>
    public Value Timestep { get; }

    /// <summary>Records a prediction.</summary>
    /// <param name="name">Name of the model, for reports and messages.</param>
    /// <param name="options">What the graph must do.</param>
    /// <param name="channels">Channels of the latents.</param>
    /// <param name="dtype">The type that the model computes in.</param>
    /// <param name="model">Evaluates the model: gives its prediction, [m, h, w, c].</param>
    public static Graph Record(string name, PredictionOptions options, int channels, DType dtype, Func<PredictionTrace, Value> model)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(model);
        return Graph.Trace(name, graph =>
        {
            var trace = new PredictionTrace(graph, options, channels, dtype);
            var prediction = Cast(model(trace), DType.Float32);
            graph.Output(Prediction, options.Guided ? ClassifierFreeGuidance.Combine(prediction, options.Rescaled) : prediction);
        });
    }

    /// <summary>An input that stays the same for all steps and has one entry for each of the batch, [m, …], Float32.</summary>
    /// <param name="name">Its name in the conditioning.</param>
    /// <param name="shape">Sizes of one entry; a symbol <c>tokens</c> stands for the number of tokens.</param>
    public Value Conditioning(string name, params ReadOnlySpan<Dim> shape) =>
        graph.LoopInvariantInput(name, DType.Float32, [Entries, .. shape]);

    /// <summary>The scaled latents in the model's type, once for each entry: [m, h, w, channels].</summary>
    public Value Sample() => ForEachSide(Cast(Combine(graph.Input(ScaleInput, DType.Float32, 1), latents), dtype));

    /// <summary>
    /// An input at the latents' resolution that stays the same for all steps and has one entry for each image, in the model's type and once
    /// for each entry of the batch: [m, h, w, channels].
    /// </summary>
    public Value Image(string name, int channels) =>
        ForEachSide(Cast(graph.LoopInvariantInput(name, DType.Float32, images, height, width, channels), dtype));

    private Value ForEachSide(Value x) => options.Guided ? ConcatBatch(x, x) : x;
}
