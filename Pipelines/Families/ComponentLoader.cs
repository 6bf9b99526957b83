using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Loads the components of one model from its source, and owns the mapped weight files and the models that use them.</summary>
public sealed class ComponentLoader : IDisposable
{
    /// <summary>The autoencoder's component.</summary>
    internal const string VaeName = "vae";

    private const string ProjectingClass = "CLIPTextModelWithProjection";
    private readonly List<IDisposable> owned = [];
    private readonly List<ComponentPrecision> precisions = [];

    internal ComponentLoader(IModelSource source, ArenaPool arenas, ModelSettings settings, ILogger logger)
    {
        (Source, Arenas, Settings, Logger) = (source, arenas, settings, logger);
        CheckVariant();
        owned.Add(Quantizer = new ComponentQuantizer(source, settings, arenas.Device));
    }

    /// <summary>The model's files.</summary>
    public IModelSource Source { get; }

    /// <summary>Memory of the device that the models run on.</summary>
    public ArenaPool Arenas { get; }

    /// <summary>How components are loaded.</summary>
    public ModelSettings Settings { get; }

    /// <summary>Takes the pipeline's messages.</summary>
    public ILogger Logger { get; }

    /// <summary>What the text encoders and the autoencoder compute in.</summary>
    internal IReadOnlyList<ComponentPrecision> Precisions => precisions;

    /// <summary>Quantises components.</summary>
    internal ComponentQuantizer Quantizer { get; }

    /// <summary>A component's configuration, after a check of the class that the index names, whatever its own file says.</summary>
    /// <param name="component">The component.</param>
    /// <param name="classes">The supported classes.</param>
    /// <exception cref="ModelFileException">The component is missing, of another class, or its configuration is damaged.</exception>
    public ModelConfig ConfigOf(string component, params ReadOnlySpan<string> classes)
    {
        CheckClass(component, classes);
        return QuantizationConfig.Without(Source.ConfigOf(component));
    }

    /// <summary>
    /// A component's weights, after a check that its configuration describes a model of at most twice their number, because a few bytes of
    /// it can describe millions of layers. Up to there, missing tensors are named instead.
    /// </summary>
    /// <param name="component">The component.</param>
    /// <param name="config">Its configuration, for messages.</param>
    /// <param name="leastTensors">A lower bound of the number of weights that the configuration describes.</param>
    /// <exception cref="ModelFileException">The weights are missing or damaged, or do not belong to the configuration.</exception>
    public IModelWeights WeightsOf(string component, ModelConfig config, long leastTensors)
    {
        ArgumentNullException.ThrowIfNull(config);
        return WeightsOf(component, config.File, leastTensors);
    }

    /// <summary>The autoencoder of the component <c>vae</c>.</summary>
    /// <exception cref="ModelFileException">It is missing, damaged or not supported.</exception>
    public Autoencoder Vae()
    {
        var config = AutoencoderConfig.From(ConfigOf(VaeName, nameof(AutoencoderKL)));
        var weights = Settings.LoadWeights ? WeightsOf(VaeName, config.File, config.LeastTensors) : null;
        bool upcast = Settings.VaeDType is null && Settings.DType == DType.Float16 && config.ForceUpcast;
        var dtype = upcast ? DType.Float32 : Settings.VaeDType ?? Settings.DType;
        string reason = upcast ? ComponentPrecision.ForceUpcast : Reason(Settings.VaeDType);
        var model = Create(Logger);
        Quantizer.Apply(VaeName, model, QuantizedParts.Vae);
        model.To(dtype, Settings.Float32Precision);
        precisions.Add(Precision(VaeName, dtype, model, reason));
        return new Autoencoder(model, Arenas, Settings.Compile, dtype)
        {
            Fallback = () => Create(NullLogger.Instance),
            Logger = Logger,
        };

        AutoencoderKL Create(ILogger logger)
        {
            var created = new AutoencoderKL(config);
            if (weights is not null) created.Load(weights, logger);
            created.SetAttentionBackend(Settings.Attention);
            return created;
        }
    }

    /// <summary>Prepares a denoiser that is loaded: quantization, type and compilation as the settings ask for.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="component">Its component.</param>
    public void Prepare(Layer denoiser, string component = "unet")
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        Quantizer.Apply(component, denoiser, QuantizedParts.Denoiser);
        denoiser.To(Settings.DType, Settings.Float32Precision);
        denoiser.SetAttentionBackend(Settings.Attention);
        denoiser.Compile(Settings.Compile);
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

    /// <summary>The UNet of the component <c>unet</c>.</summary>
    /// <param name="file">Its configuration.</param>
    internal UNet2DConditionModel UNet(ModelConfig file)
    {
        var config = UNet2DConditionConfig.Read(file);
        var unet = Load("unet", config.File, config.LeastTensors, () => new UNet2DConditionModel(config));
        Prepare(unet);
        return unet;
    }

    /// <summary>A CLIP text encoder and its tokenizer.</summary>
    /// <param name="suffix">Empty, or <c>_2</c>.</param>
    internal ClipPromptEncoder ClipEncoder(string suffix)
    {
        string name = "text_encoder" + suffix;
        CheckClass("tokenizer" + suffix, "CLIPTokenizer", "CLIPTokenizerFast");
        var tokenizer = ClipTokenizer.Load(Source.TokenizerOf("tokenizer" + suffix));
        var config = ClipTextConfig.From(ConfigOf(name, "CLIPTextModel", ProjectingClass),
            withProjection: Source.Component(name).Class == ProjectingClass);
        var model = Load(name, config.File, config.LeastTensors, () => new ClipTextModel(config));
        Quantizer.Apply(name, model, QuantizedParts.TextEncoders);
        var dtype = Settings.TextEncoderDType ?? Settings.DType;
        model.To(dtype, Settings.Float32Precision);
        model.SetAttentionBackend(Settings.Attention);
        precisions.Add(Precision(name, dtype, model, Reason(Settings.TextEncoderDType)));
        if (tokenizer.LargestId >= model.Config.VocabSize)
            throw new ModelFileException(Source.Path,
                $"tokenizer{suffix} has ids up to {tokenizer.LargestId}, {name} a vocabulary of {model.Config.VocabSize}; they do not "
                    + "belong together.");
        if (tokenizer.ModelMaxLength > model.Config.MaxPositions)
            throw new ModelFileException(Source.Path,
                $"tokenizer{suffix} makes prompts of {tokenizer.ModelMaxLength} tokens, {name} reads {model.Config.MaxPositions}; they do "
                    + "not belong together.");
        return new ClipPromptEncoder(tokenizer, new ClipTextEncoder(model, Arenas, name, Settings.Compile, dtype));
    }

    /// <summary>What a component computes in.</summary>
    internal ComponentPrecision Precision(string component, DType dtype, Layer model, string reason) =>
        new(component, dtype, Settings.LoadWeights ? ComponentPrecision.StoredIn(model) : [], reason)
        {
            Float32Precision = dtype == DType.Float32 ? Settings.Float32Precision : Float32Precision.Highest,
        };

    private string Reason(DType? own) => own is null ? Settings.DTypeReason : ComponentPrecision.Requested;

    /// <summary>
    /// A component's model with its weights. Without <see cref="ModelSettings.LoadWeights"/> it has none, and its configuration is trusted.
    /// </summary>
    private T Load<T>(string component, string configFile, long leastTensors, Func<T> create) where T : Layer
    {
        var weights = Settings.LoadWeights ? WeightsOf(component, configFile, leastTensors) : null;
        var model = create();
        if (weights is not null) model.Load(weights, Logger);
        return model;
    }

    private IModelWeights WeightsOf(string component, string configFile, long leastTensors)
    {
        var weights = Source.WeightsOf(component, Settings.Variant, Logger);
        owned.Add(weights);
        int tensors = weights.Names.Count();
        return leastTensors <= 2L * tensors ? weights
            : throw new ModelFileException(configFile,
                $"describes a model of at least {leastTensors} weight tensors; {weights.Location} holds {tensors}. Do "
                + "the weights belong to this config.json?");
    }

    private void CheckClass(string component, params ReadOnlySpan<string> classes)
    {
        if (!classes.Contains(Source.Component(component).Class))
            throw Source.Index.Wrong(component, $"of the class {string.Join(" or ", classes.ToArray())}: no other is supported");
    }

    private void CheckVariant()
    {
        if (Settings.Variant is not { } variant) return;
        var all = Source.WithWeights();
        var having = Source.ComponentsWith(variant, all);
        if (having.Count == 0)
            throw new ModelFileException(Source.Path,
                $"has no weights of the variant {OutsideText.Quote(variant)} in any of {string.Join(", ", all)}.");
        if (having.Count < all.Count)
            PipelineLog.VariantIncomplete(Logger, Source.Path, variant, string.Join(", ", having), string.Join(", ", all.Except(having)));
    }
}
