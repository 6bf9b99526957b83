namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>What is taken from elsewhere than the model's own file or folder.</summary>
public sealed record ModelSourceOptions
{
    /// <summary>
    /// A folder in diffusers' layout whose configurations replace those that a single file implies, as diffusers'
    /// <c>from_single_file(config=…)</c>: <c>model_index.json</c>, <c>unet/config.json</c> …, each used if present, and its tokenizers.
    /// It needs no weights. Null takes the implied ones.
    /// </summary>
    public string? ConfigFolder { get; init; }

    /// <summary>
    /// The folder of a tokenizer, for all of a model's, or a folder with one of its own for each (<c>tokenizer</c>, <c>tokenizer_2</c>).
    /// Null takes the model's, which for a single file is CLIP's vocabulary from the library.
    /// </summary>
    public string? TokenizerFolder { get; init; }

    /// <summary>
    /// Another autoencoder: a folder with config.json and weights, a model's folder in diffusers' layout, or a safetensors file with
    /// diffusers' or original names. Null takes the model's.
    /// </summary>
    public string? Vae { get; init; }
}
