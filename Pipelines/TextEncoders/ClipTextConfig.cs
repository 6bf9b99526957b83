using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>
/// Configuration of a CLIP text encoder, with the names of transformers' CLIPTextConfig; keys that files lack take its defaults.
/// </summary>
internal sealed record ClipTextConfig
{
    // far beyond every model; keep a damaged file from exhausting memory
    private const int MaxWidth = 1 << 17, MaxLayers = 1024, MaxVocabulary = 1 << 24, MaxTokens = 1 << 16;

    private ClipTextConfig() { }

    /// <summary>The config.json, for messages.</summary>
    public string File { get; private init; } = "";

    /// <summary>A lower bound of the model's number of weight tensors: sixteen for each layer.</summary>
    public long LeastTensors => 16L * Layers;

    /// <summary>Entries of the token table.</summary>
    public int VocabSize { get; private init; }

    /// <summary>Width of a token's hidden state.</summary>
    public int HiddenSize { get; private init; }

    /// <summary>Width between the two linear layers of an MLP.</summary>
    public int IntermediateSize { get; private init; }

    /// <summary>Number of encoder layers.</summary>
    public int Layers { get; private init; }

    /// <summary>Attention heads per layer.</summary>
    public int Heads { get; private init; }

    /// <summary>Entries of the position table: the longest prompt in tokens.</summary>
    public int MaxPositions { get; private init; }

    /// <summary>Width of the projected pooled embedding; null for an encoder without projection.</summary>
    public int? ProjectionDim { get; private init; }

    /// <summary>ε of every layer norm.</summary>
    public double LayerNormEpsilon { get; private init; }

    /// <summary>The MLP's activation.</summary>
    public UnaryFunction Activation { get; private init; }

    /// <summary>Whether diffusers' StableDiffusionPipeline masks padding for this encoder.</summary>
    public bool UseAttentionMask { get; private init; }

    /// <summary>Determines which token gives the pooled embedding; see <see cref="PromptTokens.EndPosition(int)"/>.</summary>
    public int EosTokenId { get; private init; }

    /// <summary>Reads config.json.</summary>
    /// <param name="config">The file.</param>
    /// <param name="withProjection">Whether the model has <c>text_projection</c>; null reads it from the file's
    /// <c>architectures</c>.</param>
    /// <exception cref="ModelFileException">A value is missing or unusable.</exception>
    public static ClipTextConfig From(ModelConfig config, bool? withProjection = null)
    {
        Check(config);
        bool whole = config.Find("model_type")?.ToString() == "clip" && config.Has("text_config"); // the file of a whole CLIP model
        if (whole) config = config.Section("text_config");
        int heads = config.IntWithin("num_attention_heads", 1, MaxWidth, 8), width = config.IntWithin("hidden_size", 1, MaxWidth, 512);
        if (width % heads != 0) throw config.Wrong("hidden_size", $"a multiple of num_attention_heads, {heads}");
        double epsilon = config.Double("layer_norm_eps", 1e-5);
        if (epsilon <= 0) throw config.Wrong("layer_norm_eps", "positive");
        return new ClipTextConfig
        {
            File = config.File,
            VocabSize = config.IntWithin("vocab_size", 1, MaxVocabulary, 49408),
            HiddenSize = width,
            IntermediateSize = config.IntWithin("intermediate_size", 1, MaxWidth, 2048),
            Layers = config.IntWithin("num_hidden_layers", 1, MaxLayers, 12),
            Heads = heads,
            MaxPositions = config.IntWithin("max_position_embeddings", 1, MaxTokens, 77),
            ProjectionDim = withProjection ?? HasProjection(config) ? config.IntWithin("projection_dim", 1, MaxWidth, 512) : null,
            LayerNormEpsilon = epsilon,
            Activation = config.String("hidden_act", "quick_gelu") switch
            {
                "quick_gelu" => UnaryFunction.QuickGelu,
                "gelu" or "gelu_python" => UnaryFunction.Gelu,
                "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" => UnaryFunction.GeluTanh,
                "relu" => UnaryFunction.Relu,
                "silu" or "swish" => UnaryFunction.Silu,
                _ => throw config.Wrong("hidden_act",
                    "quick_gelu, gelu, gelu_new, gelu_pytorch_tanh, relu, silu or swish: no other activation is supported in a text "
                    + "encoder"),
            },
            UseAttentionMask = config.Bool("use_attention_mask", false),
            EosTokenId = config.Int("eos_token_id", 49407), // transformers' default
        };
    }

    /// <summary>Rejects settings that are not supported: ignoring them would generate wrong images.</summary>
    private static void Check(ModelConfig config)
    {
        string type = config.IsNull("model_type") ? "" : config.String("model_type", "");
        if (type is not ("" or "clip" or "clip_text_model"))
            throw config.Wrong("model_type", "clip_text_model: no other text encoder is supported here");
        if (config.Find("quantization_config") is not null)
            throw config.Wrong("quantization_config", "absent: quantized weights are not supported");
        if (config.Find("pruned_heads") is { } pruned && pruned.GetRawText() is not ("{}" or "[]"))
            throw config.Wrong("pruned_heads", "empty: pruned heads are not supported");
    }

    private static bool HasProjection(ModelConfig config)
    {
        string[] architectures = config.Strings("architectures");
        return architectures switch
        {
            ["CLIPTextModel"] => false,
            ["CLIPTextModelWithProjection"] => true,
            _ => throw config.Wrong("architectures", "[\"CLIPTextModel\"] or [\"CLIPTextModelWithProjection\"]"),
        };
    }
}
