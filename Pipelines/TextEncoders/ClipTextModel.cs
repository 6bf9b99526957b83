using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>
/// The text half of CLIP: transformers' CLIPTextModel, or CLIPTextModelWithProjection when the configuration has a projection.
/// </summary>
/// <remarks>Radford et al., 2021 (arXiv:2103.00020).</remarks>
internal sealed class ClipTextModel : Layer
{
    /// <summary>Declares <c>text_model</c> and, with a projection, <c>text_projection</c>.</summary>
    /// <param name="config">The model's config.json.</param>
    /// <param name="withProjection">Whether there is a projection; null reads it from the file's <c>architectures</c>.</param>
    /// <exception cref="ModelFileException">A value of the configuration is missing or unusable.</exception>
    public ClipTextModel(ModelConfig config, bool? withProjection = null) : this(ClipTextConfig.From(config, withProjection))
    {
    }

    /// <summary>Declares the layers of a configuration that is already read.</summary>
    public ClipTextModel(ClipTextConfig config)
    {
        Config = config;
        Transformer = Child("text_model", new ClipTextTransformer(Config));
        if (Config.ProjectionDim is { } width) Projection = Child("text_projection", new Linear(Config.HiddenSize, width, bias: false));
    }

    /// <summary>The model's configuration.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>All but the projection.</summary>
    public ClipTextTransformer Transformer { get; }

    /// <summary>Projects the pooled token to <c>text_embeds</c>, if the model has it.</summary>
    public Linear? Projection { get; }

    /// <summary>
    /// Loads the weights from a checkpoint, also from one that transformers 5 saved without the prefix <c>text_model.</c>
    /// </summary>
    /// <exception cref="ModelFileException">A weight is missing or has the wrong shape.</exception>
    public override void Load(IWeightSource source, ILogger? logger = null) => base.Load(new BareTextModelNames(source), logger);

    /// <summary>Begins a trace. Only the values used afterwards are recorded.</summary>
    /// <param name="ids">Token ids, Int32 [n, tokens].</param>
    /// <param name="positions">0, 1, 2 …, Int32 [tokens].</param>
    /// <param name="dtype">The type that the model computes in.</param>
    public ClipTextTrace Trace(Value ids, Value positions, DType dtype) => new(this, ids, positions, dtype);
}
