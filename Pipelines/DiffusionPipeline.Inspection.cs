using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

public sealed partial class DiffusionPipeline
{
    private const int UsualTokens = 77, MeasuredRuns = 5;

    /// <summary>The plans that draw one image with guidance: the denoiser's and the decoder's.</summary>
    /// <param name="size">Size of the image; null for the model's own.</param>
    /// <param name="measure">Whether the plans are run and timed, after one step as in normal use. Without it no weight is read.</param>
    /// <param name="cancellation">Cancels tuning and measuring.</param>
    /// <exception cref="ArgumentException">The model does not draw this size.</exception>
    /// <exception cref="InvalidOperationException">Plans are to be measured, and the pipeline has no weights
    /// (<see cref="PipelineOptions.LoadWeights"/>).</exception>
    public Task<IReadOnlyList<ModelPlan>> InspectAsync(PixelSize? size = null, bool measure = false,
        CancellationToken cancellation = default)
    {
        var pixels = Checked(size);
        return Task.Run<IReadOnlyList<ModelPlan>>(() => requests.Run(token =>
        {
            if (measure) _ = Generate(SampleRequest(pixels), null, token);
            return (ModelPlan[])[.. SampledGraphs(pixels).Select(sample => Inspect(sample, pixels, measure, token))];
        }, cancellation), cancellation);
    }

    /// <summary>
    /// Measures which kernels and tiles are fastest for this model, and keeps the results in the device's tuning table for all later runs.
    /// </summary>
    /// <param name="sizes">Sizes of images; none for the model's own.</param>
    /// <param name="options">How long and how far to search; null for the defaults.</param>
    /// <param name="again">Whether earlier measurements are repeated.</param>
    /// <param name="weights">Type that weights are stored in; null for that of the model's files.</param>
    /// <param name="progress">Called at the start, and after each result.</param>
    /// <param name="cancellation">Ends the search; results found so far are kept.</param>
    /// <exception cref="ArgumentException">The model does not draw one of the sizes.</exception>
    public Task<TuningSummary> TuneAsync(IReadOnlyList<PixelSize>? sizes = null, TunerOptions? options = null, bool again = false,
        DType? weights = null, IProgress<TuningProgress>? progress = null, CancellationToken cancellation = default)
    {
        PixelSize[] wanted = sizes is { Count: > 0 } ? [.. sizes.Select(size => Checked(size))] : [Checked(null)];
        return Task.Run(() => requests.Run(token =>
        {
            var tuner = new GraphTuner(Device, options ?? new TunerOptions());
            var plans = wanted.SelectMany(SampledGraphs).Select(sample => (sample.Graph, sample.Sizes));
            return tuner.Run(tuner.Problems(plans, onlyMissing: !again, weights), progress, token);
        }, cancellation), CancellationToken.None);
    }

    private PixelSize Checked(PixelSize? size)
    {
        int factor = Limits.Latents.Factor;
        var pixels = size ?? Defaults.Size;
        return pixels.Width > 0 && pixels.Height > 0 && pixels.Width % factor == 0 && pixels.Height % factor == 0 ? pixels
            : throw new ArgumentException($"size is {pixels}; width and height must be multiples of {factor}.", nameof(size));
    }

    /// <summary>The graphs of one guided image, with their sizes.</summary>
    private IEnumerable<SampledGraph> SampledGraphs(PixelSize pixels)
    {
        var options = new PredictionOptions(Guided: true);
        int height = pixels.Height / Limits.Latents.Factor, width = pixels.Width / Limits.Latents.Factor;
        int tokens = Model.PromptTokens > 0 ? Model.PromptTokens : UsualTokens;
        yield return new("denoiser", true, Model.DenoiserGraph(options, arenas), () => Model.Trace(options),
            new(("images", 1), ("height", height), ("width", width), ("tokens", tokens)));
        yield return new("decoder", false, Vae.ImageGraph, Vae.TraceImage, new(("batch", 1), ("height", height), ("width", width)));
    }

    private ModelPlan Inspect(SampledGraph sample, PixelSize pixels, bool measure, CancellationToken cancellation)
    {
        sample.Graph.Tune(sample.Sizes, cancellation);
        var report = measure ? Measure(sample, cancellation) : sample.Graph.Report(sample.Sizes);
        if (Device.Ceilings is { } ceilings) report = report.Predict(ceilings);
        var plain = new CompiledGraph(sample.Trace(), arenas, CompileOptions.Eager).Report(sample.Sizes);
        return new ModelPlan(sample.Name, pixels, sample.Guided, sample.Graph.CompileReport, report, plain);
    }

    /// <summary>
    /// Times a plan with standard normal inputs, the same each time: nothing overflows, and nothing is zero or subnormal.
    /// </summary>
    private static PlanReport Measure(SampledGraph sample, CancellationToken cancellation)
    {
        using var plan = sample.Graph.Rent(sample.Sizes, cancellation: cancellation);
        var generator = new TorchGenerator(0);
        foreach (string name in sample.Graph.Graph.Inputs.Keys)
        {
            var target = plan.Input(name);
            float[] values = new float[target.Shape.Count];
            generator.Fill(values);
            sample.Graph.Device.Upload(MemoryMarshal.AsBytes<float>(values), target);
        }

        return plan.Measure(MeasuredRuns, cancellation);
    }

    /// <summary>One step with guidance, and with the images that a model for inpainting needs.</summary>
    private ImageRequest SampleRequest(PixelSize pixels)
    {
        var request = new ImageRequest("a red heart")
        {
            Seed = 1,
            Steps = 1,
            GuidanceScale = 5,
            Width = pixels.Width,
            Height = pixels.Height,
        };
        return Limits.InpaintingOnly ? request with { InitImage = Flat(128), MaskImage = Flat(255), Strength = 1 } : request;

        Image Flat(byte level)
        {
            byte[] values = new byte[checked(pixels.Width * pixels.Height * 3)];
            Array.Fill(values, level);
            return new Image(pixels.Width, pixels.Height, values);
        }
    }

    /// <param name="Name">Name of the plan.</param>
    /// <param name="Guided">Whether it evaluates negative prompts too.</param>
    /// <param name="Graph">The graph that requests use.</param>
    /// <param name="Trace">Records it again.</param>
    /// <param name="Sizes">Sizes of the plan.</param>
    private sealed record SampledGraph(string Name, bool Guided, CompiledGraph Graph, Func<Graph> Trace, Sizes Sizes);
}
