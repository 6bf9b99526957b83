using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Families;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Packs what a first start of a model on a device would compute, so that a start with the pack compiles nothing.</summary>
public static class ModelPack
{
    /// <summary>
    /// Makes a pack: the model runs on a device that compiles its kernels and computes nothing, so that no GPU needs to be present.
    /// </summary>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="file">The pack to write.</param>
    /// <param name="options">Devices, sizes and types.</param>
    /// <param name="cancellation">Cancels the work; nothing is written then.</param>
    /// <exception cref="ArgumentException">A device's name has no known form, or the model does not draw a size.</exception>
    /// <exception cref="Compute.Devices.DeviceException">A device is not present, or does not compute in one of the types.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static Task<KernelPack> CreateAsync(string model, string file, ModelPackOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Devices.Count == 0)
            throw new ArgumentException($"devices is empty; it must name at least one: {KernelRecorder.Forms}.");
        if (options.Compile is { Mode: CompileMode.MaxAutotune } or { CoordinateDescentTuning: true })
            throw new ArgumentException("compile is max-autotune; packs do not tune. Run ilgd tune first: packs take its results.");
        return Task.Run(() =>
        {
            var (recorders, models) = (new List<KernelRecorder>(), new List<PackedModel>());
            try
            {
                foreach (string device in options.Devices)
                {
                    recorders.Add(KernelRecorder.Open(device, options.LoggerFactory));
                    models.AddRange(Record(model, recorders[^1], options, cancellation));
                }

                cancellation.ThrowIfCancellationRequested();
                return KernelPackWriter.Write(file, recorders, Merged(models));
            }
            finally
            {
                foreach (var recorder in recorders) recorder.Dispose();
            }
        }, cancellation);
    }

    /// <summary>Runs a model on a recording device, in every type.</summary>
    internal static IEnumerable<PackedModel> Record(string model, KernelRecorder recorder, ModelPackOptions options,
        CancellationToken cancellation)
    {
        var device = recorder.Device;
        foreach (var dtype in options.DTypes.DefaultIfEmpty(device.PreferredDType))
        {
            using var pipeline = DiffusionPipeline.FromPretrained(model, new PipelineOptions
            {
                Device = device,
                DType = dtype,
                Quantize = options.Quantize,
                Compile = options.Compile,
                Variant = options.Variant,
                VaeTiling = options.VaeTiling,
                Source = options.Source,
                LoggerFactory = options.LoggerFactory,
            });
            if (device.CompilesKernels) new PackedRuns(pipeline).Run(options.Sizes, options.Counts, cancellation);
            string[] plans =
                [.. pipeline.CompileReports.SelectMany(report => report.PlanSizes.Select(sizes => $"{report.Graph}: {sizes}"))];
            yield return new PackedModel(pipeline.Name, pipeline.PipelineClass, dtype.ToString(), Words(options),
                ArchitectureOf(pipeline), plans);
        }
    }

    /// <summary>Gives a pipeline's device the packs that the options name, and the one that comes with the model.</summary>
    /// <exception cref="KernelPackException">A named pack is damaged, or made for another library, device or model.</exception>
    internal static void Use(DiffusionPipeline pipeline, IReadOnlyList<string> named, string model, ILogger logger)
    {
        string? architecture = null;
        foreach (string path in named)
        {
            var pack = KernelPack.Open(path);
            if (pack.ProblemOn(pipeline.Device) is { } problem) throw new KernelPackException(path, problem);
            if (!IsFor(pack)) throw new KernelPackException(path, Foreign(pack, pipeline));
            pipeline.Device.Kernels.Use(pack);
        }

        if (EmbeddedModel.PackOf(model) is not { } own || !pipeline.Device.CompilesKernels) return;
        try
        {
            var pack = KernelPack.Open(own);
            if (pack.ProblemOn(pipeline.Device) is null && IsFor(pack)) pipeline.Device.Kernels.Use(pack);
        }
        catch (KernelPackException e)
        {
            PipelineLog.OwnPackNotUsed(logger, e.Message);
        }

        bool IsFor(KernelPack pack) =>
            pack.Models.Any(m => m.Architecture == (architecture ??= ArchitectureOf(pipeline)) && m.DType == pipeline.DType.ToString());
    }

    /// <summary>Hash of what the denoiser and the decoder compute.</summary>
    internal static string ArchitectureOf(DiffusionPipeline pipeline) =>
        $"{pipeline.Model.Trace(new PredictionOptions(Guided: true)).Fingerprint[..16]}{pipeline.Vae.TraceImage().Fingerprint[..16]}";

    private static string Foreign(KernelPack pack, DiffusionPipeline pipeline)
    {
        string[] made = [.. pack.Models.Select(m => string.Join(", ", new[] { m.Name, m.PipelineClass, m.DType, m.Options }
            .Where(word => word.Length > 0)))];
        return $"it was made for {OutsideText.List(made)}; {OutsideText.Quote(pipeline.Name)} ({pipeline.PipelineClass}, {pipeline.DType}) "
            + "is another architecture or type, of activations or of stored weights. Make one for it with ilgd pack.";
    }

    private static string Words(ModelPackOptions options) => string.Join(", ", new[]
    {
        options.Compile.IsEager ? "not compiled" : null, options.Quantize == QuantizationMode.None ? null : "int8",
        options.VaeTiling is null ? null : "tiled",
    }.OfType<string>());

    /// <summary>One entry per model and type, with the plans of all devices.</summary>
    private static IEnumerable<PackedModel> Merged(IEnumerable<PackedModel> models) =>
        models.GroupBy(m => (m.Name, m.DType, m.Options, m.Architecture)).Select(same =>
            same.First() with { Plans = [.. same.SelectMany(m => m.Plans).Distinct().Order(StringComparer.Ordinal)] });
}
