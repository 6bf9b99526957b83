using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;
using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The components of a pipeline and what it must free: the device, the mapped weight files and the models that use them.</summary>
internal sealed class PipelineComponents : IDisposable
{
    private const string ProjectingClass = "CLIPTextModelWithProjection";
    private readonly List<IDisposable> owned = [];
    private readonly List<ClipTextEncoder> textEncoders = [];
    private readonly List<ClipTextConfig> textConfigs = [];

    private PipelineComponents(ModelFolder folder, ArenaPool arenas, ILogger logger) => (Folder, Arenas, Logger) = (folder, arenas, logger);

    public ModelFolder Folder { get; }

    public ArenaPool Arenas { get; }

    /// <summary>Takes the pipeline's own messages; the device has a logger of its own.</summary>
    public ILogger Logger { get; }

    public UNet2DConditionModel UNet { get; private set; } = null!;

    public Autoencoder Vae { get; private set; } = null!;

    public ModelScheduler Scheduler { get; private set; } = null!;

    /// <summary>The text encoders' configurations, in the order of loading.</summary>
    public IReadOnlyList<ClipTextConfig> TextConfigs => textConfigs;

    public PipelineDefaults Defaults { get; private set; } = null!;

    /// <summary>Tokens per prompt, padding included.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>The text encoder graphs compiled so far.</summary>
    public IEnumerable<CompiledGraph> TextEncoderGraphs => textEncoders.SelectMany(encoder => encoder.Compiled);

    /// <summary>How the components are compiled.</summary>
    private CompileOptions Compile { get; init; } = null!;

    /// <summary>The type that the models compute in.</summary>
    public DType DType { get; private init; }

    /// <summary>Quantization of the denoiser's linear layers.</summary>
    public QuantizationMode Quantize { get; private init; }

    /// <summary>The requested variant of the weights; null for none.</summary>
    public string? Variant { get; private init; }

    public static PipelineComponents Load(ModelFolder folder, PipelineOptions options)
    {
        var device = options.Device ?? DeviceCatalog.Open(loggerFactory: options.LoggerFactory);
        var logger = (options.LoggerFactory ?? device.LoggerFactory).CreateLogger<DiffusionPipeline>();
        var parts = new PipelineComponents(folder, new ArenaPool(device, logger) { Offload = options.Offload }, logger)
        {
            Variant = string.IsNullOrEmpty(options.Variant) ? null : options.Variant,
            Quantize = options.Quantize,
            Compile = options.Compile,
            DType = Checked(options.DType ?? device.PreferredDType, device),
        };
        if (options.Device is null) parts.owned.Add(device);
        parts.owned.Add(parts.Arenas);
        try
        {
            bool repairs = folder.ClassName == nameof(StableDiffusionPipeline);
            parts.CheckVariant();
            parts.Scheduler = ModelScheduler.Read(folder, repairs, logger);
            var unetFile = ConfigOf(folder, "unet", nameof(UNet2DConditionModel));
            var unetConfig = UNet2DConditionConfig.Read(repairs ? OldConfigs.UNet(unetFile, logger) : unetFile);
            var unetWeights = parts.Weights("unet", unetConfig.File, unetConfig.LeastTensors);
            parts.UNet = new UNet2DConditionModel(unetConfig);
            parts.UNet.Load(unetWeights, logger);
            if (options.Quantize == QuantizationMode.Int8)
                parts.owned.Add(DynamicQuantization.Apply(parts.UNet, device: device as CpuDevice, loggerFactory: device.LoggerFactory));
            parts.UNet.To(parts.DType);
            parts.UNet.Compile(options.Compile);
            var vaeConfig = AutoencoderConfig.From(ConfigOf(folder, "vae", nameof(AutoencoderKL)));
            ComponentChecks.Latents(unetConfig, vaeConfig);
            var vaeWeights = parts.Weights("vae", vaeConfig.File, vaeConfig.LeastTensors);
            var vae = new AutoencoderKL(vaeConfig);
            vae.Load(vaeWeights, logger);
            parts.Vae = new Autoencoder(vae, parts.Arenas, parts.Compile, parts.DType);
            vae.To(parts.Vae.DType);
            var (width, height) = parts.UNet.SampleSize ?? new PixelSize(64, 64);
            double guidance = folder.ClassName == nameof(StableDiffusionXLPipeline) ? 5 : 7.5; // diffusers' defaults
            parts.Defaults = PipelineDefaults.Read(folder.Path, guidance,
                new PixelSize(width * parts.Vae.SpatialFactor, height * parts.Vae.SpatialFactor));
            return parts;
        }
        catch
        {
            parts.Dispose();
            throw;
        }
    }

    /// <summary>A text encoder and its tokenizer.</summary>
    /// <param name="suffix">Empty, or <c>_2</c>.</param>
    public (ClipTokenizer Tokenizer, ClipTextEncoder Encoder) TextEncoder(string suffix)
    {
        string name = "text_encoder" + suffix;
        CheckClass(Folder, "tokenizer" + suffix, "CLIPTokenizer", "CLIPTokenizerFast");
        var tokenizer = ClipTokenizer.Load(Folder.FolderOf("tokenizer" + suffix));
        var config = ClipTextConfig.From(ConfigOf(Folder, name, "CLIPTextModel", ProjectingClass),
            withProjection: Folder.Component(name).Class == ProjectingClass);
        var weights = Weights(name, config.File, config.LeastTensors);
        var model = new ClipTextModel(config);
        model.Load(weights, Logger);
        model.To(DType);
        if (tokenizer.LargestId >= model.Config.VocabSize)
            throw new ModelFileException(Folder.Path,
                $"tokenizer{suffix} has ids up to {tokenizer.LargestId}, {name} a vocabulary of {model.Config.VocabSize}; they do not "
                    + "belong together.");
        if (tokenizer.ModelMaxLength > model.Config.MaxPositions)
            throw new ModelFileException(Folder.Path,
                $"tokenizer{suffix} makes prompts of {tokenizer.ModelMaxLength} tokens, {name} reads {model.Config.MaxPositions}; they do "
                    + "not belong together.");
        PromptTokens = tokenizer.ModelMaxLength;
        textConfigs.Add(config);
        textEncoders.Add(new ClipTextEncoder(model, Arenas, name, Compile, DType));
        return (tokenizer, textEncoders[^1]);
    }

    /// <summary>Frees everything once; a concurrent call returns when that is done.</summary>
    public void Dispose()
    {
        lock (owned)
        {
            for (int i = owned.Count - 1; i >= 0; i--) owned[i].Dispose();
            owned.Clear();
        }
    }

    private static DType Checked(DType dtype, Device device) => device.Computes(dtype)
        ? dtype
        : throw new DeviceException(
            $"{device.Id} does not compute in {dtype}, only in {string.Join(", ", Enum.GetValues<DType>().Where(device.Computes))}. "
                + "Weights of other types are used as stored; leave PipelineOptions.DType unset.");

    private static ModelConfig ConfigOf(ModelFolder folder, string component, params ReadOnlySpan<string> classes)
    {
        CheckClass(folder, component, classes);
        return folder.ConfigOf(component);
    }

    /// <summary>The class of a component is what model_index.json names, whatever its own configuration says.</summary>
    private static void CheckClass(ModelFolder folder, string component, params ReadOnlySpan<string> classes)
    {
        if (!classes.Contains(folder.Component(component).Class))
            throw folder.Index.Wrong(component, $"of the class {string.Join(" or ", classes.ToArray())}: no other is supported");
    }

    /// <summary>Whether any component of a model has weights of a variant.</summary>
    /// <exception cref="ModelFileException">A component's folder is missing.</exception>
    public static bool HasVariant(ModelFolder folder, string variant) => folder.ComponentsWith(variant, WithWeights(folder)).Count > 0;

    private static string[] WithWeights(ModelFolder folder) =>
    [
        .. folder.Components.Keys.Where(c => c is "unet" or "vae" || c.StartsWith("text_encoder", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private void CheckVariant()
    {
        if (Variant is null) return;
        string[] all = WithWeights(Folder);
        var having = Folder.ComponentsWith(Variant, all);
        if (having.Count == 0)
            throw new ModelFileException(Folder.Path,
                $"has no weights of the variant {OutsideText.Quote(Variant)} in any of {string.Join(", ", all)}.");
        if (having.Count < all.Length)
            PipelineLog.VariantIncomplete(Logger, Folder.Path, Variant, string.Join(", ", having), string.Join(", ", all.Except(having)));
    }

    /// <summary>
    /// A component's weights, after a check that its configuration describes a model of at most twice their number, because a few bytes of
    /// it can describe millions of layers. Up to there, missing tensors are named instead.
    /// </summary>
    private Checkpoint Weights(string component, string configFile, long leastTensors)
    {
        var checkpoint = Folder.WeightsOf(component, Variant, Logger);
        owned.Add(checkpoint);
        return leastTensors <= 2L * checkpoint.Names.Count ? checkpoint
            : throw new ModelFileException(configFile,
                $"describes a model of at least {leastTensors} weight tensors; {checkpoint.Source} holds {checkpoint.Names.Count}. Do "
                + "the weights belong to this config.json?");
    }
}
