namespace ILGpuDiffusion.Layers.Weights;

/// <summary>One part of a pipeline as model_index.json lists it.</summary>
/// <param name="Name">Its name, which is also its folder: <c>unet</c>, <c>text_encoder_2</c> …</param>
/// <param name="Library">The Python library it comes from: <c>diffusers</c>, <c>transformers</c> …</param>
/// <param name="Class">Its Python class: <c>UNet2DConditionModel</c> …</param>
public sealed record ModelComponent(string Name, string Library, string Class)
{
    /// <summary>Whether it has weights: a model, and no scheduler, tokenizer or processor of images.</summary>
    public bool HasWeights => ConfigFile == "config.json" && !Class.EndsWith("SafetyChecker", StringComparison.Ordinal);

    /// <summary>The name of its configuration file, by the kind of its class.</summary>
    public string ConfigFile =>
        Class.EndsWith("Scheduler", StringComparison.Ordinal) ? "scheduler_config.json"
        : Class.Contains("Tokenizer", StringComparison.Ordinal) ? "tokenizer_config.json"
        : Class.EndsWith("ImageProcessor", StringComparison.Ordinal) || Class.EndsWith("FeatureExtractor", StringComparison.Ordinal)
            ? "preprocessor_config.json"
        : "config.json";
}
