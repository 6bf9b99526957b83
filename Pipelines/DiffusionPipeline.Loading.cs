using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Schedulers;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

public sealed partial class DiffusionPipeline
{
    /// <summary>Loads a model of one of the families of <see cref="FamilyCatalog"/>.</summary>
    /// <param name="path">A folder in diffusers' format, or a whole model in one safetensors file; see
    /// <see cref="ModelSource.Open"/>.</param>
    /// <param name="options">Device and weight files.</param>
    /// <exception cref="ModelFileException">Something is missing or damaged, or the pipeline class is not supported.</exception>
    /// <exception cref="ArgumentException"><see cref="PipelineOptions.QuantizeFilter"/> has a pattern that matches no layer, or the model
    /// is stored in int8.</exception>
    public static DiffusionPipeline FromPretrained(string path, PipelineOptions? options = null) =>
        Load(ModelSource.Open(path, options?.Source), options ?? new());

    /// <summary>Loads a model from any source.</summary>
    /// <param name="source">Its configurations, weights and tokenizers.</param>
    /// <param name="options">Device and weight files.</param>
    /// <exception cref="ModelFileException">Something is missing or damaged, or the pipeline class is not supported.</exception>
    /// <exception cref="Compute.Kernels.KernelPackException">A pack is damaged, or made for another library, device or model.</exception>
    /// <exception cref="ArgumentException"><see cref="PipelineOptions.QuantizeFilter"/> has a pattern that matches no layer, or the model
    /// is stored in int8.</exception>
    public static DiffusionPipeline Load(IModelSource source, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var family = FamilyCatalog.Of(source); // before anything is loaded: other families have other components
        var owned = new OwnedParts();
        try
        {
            var device = options.Device ?? owned.Add(DeviceCatalog.Open(loggerFactory: options.LoggerFactory));
            var logger = (options.LoggerFactory ?? device.LoggerFactory).CreateLogger<DiffusionPipeline>();
            var arenas = owned.Add(new ArenaPool(device, logger) { Offload = options.Offload });
            var settings = new ModelSettings(Checked(nameof(options.DType), options.DType, device) ?? device.PreferredDType,
                options.Compile, options.Quantize, string.IsNullOrEmpty(options.Variant) ? null : options.Variant, options.LoadWeights)
            {
                VaeDType = Checked(nameof(options.VaeDType), options.VaeDType, device),
                TextEncoderDType = Checked(nameof(options.TextEncoderDType), options.TextEncoderDType, device),
                Float32Precision = Checked(options.Float32Precision, device),
                DTypeReason = options.DType is null ? $"the default of {device.Id}" : ComponentPrecision.Requested,
                Attention = options.Attention,
                QuantizeParts = options.QuantizeParts,
                QuantizeFilter = options.QuantizeFilter,
            };
            var contexts = owned.Add(new DenoisingContexts(device));
            var components = owned.Add(new ComponentLoader(source, arenas, settings, logger));
            var schedulers = ModelScheduler.Read(source, family.RepairsOldConfigs, logger);
            var model = family.Load(components);
            owned.Add(new Trimmed(model));
            components.Quantizer.CheckFilter();
            var others = components.Precisions.ToLookup(p => p.Component == ComponentLoader.VaeName);
            IReadOnlyList<ComponentPrecision> precisions = [.. others[false],
                components.Precision(model.DenoiserName, model.DType, model.Denoiser, settings.DTypeReason), .. others[true]];
            PipelineLog.Precisions(logger, source.Name, string.Join(", ", precisions));
            var pipeline = new DiffusionPipeline(source, model, schedulers, options, arenas, contexts, owned, components.Quantizer)
            {
                Precisions = precisions,
            };
            ModelPack.Use(pipeline, options.Pack, source.Path, logger);
            return pipeline;
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    private static DType? Checked(string property, DType? dtype, Device device) => dtype is not { } type || device.Computes(type)
        ? dtype
        : throw new DeviceException(
            $"{device.Id} does not compute in {type}, only in {string.Join(", ", Enum.GetValues<DType>().Where(device.Computes))}. "
                + $"Weights of other types are used as stored; leave {nameof(PipelineOptions)}.{property} unset.");

    private static Float32Precision Checked(Float32Precision precision, Device device) => device.Computes(precision)
        ? precision
        : throw new DeviceException(
            $"{device.Id} ({device.Architecture}) does not multiply in {precision}, which NVIDIA GPUs do from compute capability 8.0 on. "
                + $"It computes in {string.Join(", ", Enum.GetValues<DType>().Where(device.Computes))}; leave {nameof(PipelineOptions)}."
                + $"{nameof(PipelineOptions.Float32Precision)} unset.");

    /// <summary>What a pipeline frees, last first.</summary>
    private sealed class OwnedParts : IDisposable
    {
        private readonly Stack<IDisposable> parts = new();

        public T Add<T>(T part) where T : IDisposable
        {
            parts.Push(part);
            return part;
        }

        /// <summary>Frees everything once; a concurrent call returns when that is done.</summary>
        public void Dispose()
        {
            lock (parts)
            {
                while (parts.TryPop(out var part)) part.Dispose();
            }
        }
    }

    /// <summary>Frees what a model keeps for the next request.</summary>
    private sealed class Trimmed(DiffusionModel model) : IDisposable
    {
        public void Dispose() => model.Trim();
    }
}
