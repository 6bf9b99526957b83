using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// The plans of a model's denoiser and decoder, with all passes and without any, as <c>ilgd inspect --graph</c> shows them.
/// </summary>
internal static class InspectGraph
{
    private const int Tokens = 77, MeasuredRuns = 5;

    /// <summary>The plans for one guided image. No weight is read.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="size">Size of the image; null for the model's own.</param>
    /// <param name="device">The device of the plans.</param>
    /// <param name="options">How it is compiled.</param>
    public static IReadOnlyList<InspectedPlan> Plans(IModelSource folder, PixelSize? size, Device device, CompileOptions options)
    {
        using var arenas = new ArenaPool(device);
        using var files = new ModelWeights(folder, load: false);
        var (unet, vae, pixels) = (files.UNet, files.Vae, files.Pixels(size));
        string model = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.Path));
        var graphs = Graphs(unet, vae, pixels, device, arenas, options);
        var plain = Graphs(unet, vae, pixels, device, arenas, CompileOptions.Eager);
        return [Plan("denoiser", " with guidance", 0), Plan("decoder", "", 1)];

        InspectedPlan Plan(string name, string guidance, int index)
        {
            var report = graphs[index].Graph.Report(graphs[index].Sizes);
            return new(name, model, $"{pixels.Width} × {pixels.Height} pixels, one image{guidance}", Describe(device), device.Ceilings,
                device.Ceilings is { } ceilings ? report.Predict(ceilings) : report, plain[index].Graph.Report(plain[index].Sizes))
            {
                Compilation = graphs[index].Graph.CompileReport,
            };
        }
    }

    /// <summary>The compiled denoiser and decoder, each with its sizes for a guided image.</summary>
    public static IReadOnlyList<(CompiledGraph Graph, Sizes Sizes)> Graphs(ModelWeights model, PixelSize? size, Device device,
        ArenaPool arenas) =>
        Graphs(model.UNet, model.Vae, model.Pixels(size), device, arenas, new());

    private static (CompiledGraph Graph, Sizes Sizes)[] Graphs(UNet2DConditionModel unet, AutoencoderKL vae, PixelSize pixels,
        Device device, ArenaPool arenas, CompileOptions options)
    {
        unet.To(device.PreferredDType); // as in a pipeline
        vae.To(device.PreferredDType);
        var (denoiser, decoder) = Sizes(pixels, vae.Config.SpatialFactor);
        return
        [
            (new CompiledGraph(UNetPrediction.Trace(unet, new(Guided: true), device.PreferredDType), arenas,
                options), denoiser),
            (new Autoencoder(vae, arenas, options, device.PreferredDType).DecoderGraph, decoder),
        ];
    }

    /// <summary>
    /// As <see cref="Plans"/>, with measured times. Loads the model and runs one step first, so that the state is that of normal use.
    /// </summary>
    public static async Task<IReadOnlyList<InspectedPlan>> MeasureAsync(IModelSource folder, PixelSize? size, Device device,
        CompileOptions options, CancellationToken cancellation)
    {
        var plans = Plans(folder, size, device, options);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device, Compile = options });
        var pixels = size ?? pipeline.Defaults.Size;
        var request = new ImageRequest("a red heart")
        {
            Seed = 1,
            Steps = 1,
            GuidanceScale = 5,
            Width = pixels.Width,
            Height = pixels.Height
        };
        await pipeline.GenerateAsync(request, null, cancellation).ConfigureAwait(false);
        var (denoiserSizes, decoderSizes) = Sizes(pixels, pipeline.Vae.SpatialFactor);
        return [Measured(plans[0], pipeline.Denoisers.Single(), denoiserSizes),
            Measured(plans[1], pipeline.Vae.DecoderGraph, decoderSizes)];

        InspectedPlan Measured(InspectedPlan plan, CompiledGraph graph, Sizes sizes)
        {
            using var rented = graph.Rent(sizes, cancellation: cancellation);
            SampleInputs.Fill(graph, rented);
            var report = rented.Measure(MeasuredRuns, cancellation);
            return plan with { Report = plan.Ceilings is { } ceilings ? report.Predict(ceilings) : report };
        }
    }

    /// <summary>JSON output.</summary>
    public static string Json(IModelSource folder, IEnumerable<InspectedPlan> plans) => JsonOutput.Of(new
    {
        path = folder.Path,
        @class = folder.ClassName,
        device = plans.First().Device,
        ceilings = plans.First().Ceilings is { } c
            ? new { flops_per_second = c.FlopsPerSecond, bytes_per_second = c.BytesPerSecond, source = c.Source } : null,
        plans = plans.Select(p => new
        {
            name = p.Name,
            purpose = p.Purpose,
            compile = CompilationReport.Of([p.Compilation]),
            launches = p.Report.Steps.Count,
            launches_once = p.Report.LoopInvariantSteps.Count,
            launches_without_passes = p.Plain.Steps.Count + p.Plain.LoopInvariantSteps.Count,
            flops = p.Report.Flops,
            arena_bytes = p.Report.ArenaBytes,
            peak_live_bytes = p.Report.PeakLiveBytes,
            predicted_seconds = p.Report.PredictedSeconds,
            measured_seconds = p.Report.MeasuredSeconds,
            steps = p.Report.LoopInvariantSteps.Select(s => Step(s, true)).Concat(p.Report.Steps.Select(s => Step(s, false))),
            memory = p.Report.Memory.Select(Block),
        }),
    });

    private static object Block(PlanReportBlock block) => new
    {
        name = block.Name,
        kind = block.Kind,
        offset = block.Offset,
        bytes = block.Bytes,
        first = block.First,
        last = block.Last,
        is_over = block.IsOver,
    };

    private static object Step(PlanReportStep step, bool once) => new
    {
        index = step.Index,
        once,
        op = step.Op,
        variant = step.Variant,
        settings = step.Settings,
        output = step.Output,
        bytes = step.Bytes,
        weight_bytes = step.WeightBytes,
        flops = step.Flops,
        work = step.Work,
        predicted_seconds = step.PredictedSeconds,
        measured_seconds = step.MeasuredSeconds,
        layer = step.Layer,
    };

    private static (Sizes Denoiser, Sizes Decoder) Sizes(PixelSize pixels, int factor)
    {
        int height = pixels.Height / factor, width = pixels.Width / factor;
        return (new Sizes(("images", 1), ("height", height), ("width", width), ("tokens", Tokens)),
            new Sizes(("batch", 1), ("height", height), ("width", width)));
    }

    private static string Describe(Device device) =>
        device is CpuDevice cpu ? $"{cpu.Id} ({cpu.Name}, {cpu.Architecture}, {cpu.Threads} threads)"
            : $"{device.Id} ({device.Name}, {device.Architecture})";
}
