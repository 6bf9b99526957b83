using System.Text.Json.Nodes;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>What a file with all weights of a model in their original naming holds: one value for each kind of model.</summary>
/// <param name="Kind">The kind, for people: <c>Stable Diffusion XL base</c>.</param>
/// <param name="PipelineClass">diffusers' class that such a model runs in.</param>
internal sealed record SingleFileLayout(string Kind, string PipelineClass)
{
    /// <summary>Whether a file is of this kind; layouts are asked in order.</summary>
    public required Func<TensorTable, bool> Recognises { get; init; }

    /// <summary>The components with weights.</summary>
    public required IReadOnlyList<SingleFileComponent> Components { get; init; }

    /// <summary>The tokenizers, for files that do not hold any.</summary>
    public required IReadOnlyDictionary<string, ITokenizerFiles> Tokenizers { get; init; }

    /// <summary>scheduler_config.json, with its class.</summary>
    public required Func<TensorTable, JsonObject> Scheduler { get; init; }

    /// <summary>Options of the pipeline in model_index.json.</summary>
    public IReadOnlyDictionary<string, bool> Options { get; init; } = new Dictionary<string, bool>();
}

/// <summary>A component of a file.</summary>
/// <param name="Name">diffusers' name: <c>unet</c>.</param>
/// <param name="Library">The Python library of its class.</param>
/// <param name="Class">Its Python class.</param>
/// <param name="Prefix">What its tensors' names begin with, dot included.</param>
internal sealed record SingleFileComponent(string Name, string Library, string Class, string Prefix)
{
    /// <summary>Its name map, by its tensors without the prefix.</summary>
    public required Func<TensorTable, NameMap> Names { get; init; }

    /// <summary>What its tensors, under diffusers' names, tell of its config.json.</summary>
    public required Func<TensorTable, JsonObject> Shapes { get; init; }

    /// <summary>What they do not tell.</summary>
    public JsonObject Traits { get; init; } = [];

    /// <summary>Its config.json.</summary>
    /// <param name="own">Its tensors without the prefix.</param>
    /// <exception cref="ModelFileException">A tensor that the configuration follows from is missing or has another form.</exception>
    public JsonObject Config(TensorTable own)
    {
        var config = Shapes(own.Renamed(Names(own)));
        foreach (var (key, value) in Traits) config[key] = value?.DeepClone();
        return config;
    }

    /// <summary>The UNet of every family here.</summary>
    /// <param name="side">Side of the latents that it was trained with.</param>
    /// <param name="heads">See <see cref="ImpliedConfigs.UNet"/>.</param>
    public static SingleFileComponent UNet(int side, int? heads = null) =>
        new("unet", "diffusers", "UNet2DConditionModel", UNetNames.Prefix)
        {
            Names = UNetNames.Of,
            Shapes = t => ImpliedConfigs.UNet(t, heads),
            Traits = new() { ["sample_size"] = side },
        };

    /// <summary>The autoencoder of every family here.</summary>
    /// <param name="scale">The factor of latents.</param>
    /// <param name="side">Side of the images that it was trained with.</param>
    /// <param name="upcast">Whether float16 overflows in it.</param>
    public static SingleFileComponent Autoencoder(double scale, int side, bool upcast = true) =>
        new("vae", "diffusers", "AutoencoderKL", AutoencoderNames.Prefix)
        {
            Names = AutoencoderNames.Of,
            Shapes = ImpliedConfigs.Autoencoder,
            Traits = new() { ["scaling_factor"] = scale, ["sample_size"] = side, ["force_upcast"] = upcast },
        };

    /// <summary>OpenAI's CLIP ViT-L under transformers' names.</summary>
    /// <param name="prefix">What its tensors' names begin with.</param>
    public static SingleFileComponent Clip(string prefix) => new("text_encoder", "transformers", "CLIPTextModel", prefix)
    {
        Names = TextEncoderNames.Clip,
        Shapes = ImpliedConfigs.TextEncoder,
        Traits = new() { ["hidden_act"] = "quick_gelu" },
    };

    /// <summary>An OpenCLIP text encoder.</summary>
    /// <param name="name">The component.</param>
    /// <param name="prefix">What its tensors' names begin with.</param>
    /// <param name="projects">Whether its projection is used.</param>
    /// <param name="mostLayers">Layers used; a file may hold more.</param>
    public static SingleFileComponent OpenClip(string name, string prefix, bool projects, int mostLayers = int.MaxValue) =>
        new(name, "transformers", projects ? "CLIPTextModelWithProjection" : "CLIPTextModel", prefix)
        {
            Names = t => TextEncoderNames.OpenClip(Math.Min(t.Count("transformer.resblocks"), mostLayers), projects,
                t.Count("transformer.resblocks")),
            Shapes = ImpliedConfigs.TextEncoder,
            Traits = new() { ["hidden_act"] = "gelu" },
        };
}
