using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>
/// Settings of requests that leave them out: from the model folder's own <c>defaults.json</c> where it has one, else diffusers' defaults.
/// </summary>
/// <param name="Steps">Denoising steps.</param>
/// <param name="GuidanceScale">Classifier-free guidance.</param>
/// <param name="Size">Size of an image in pixels.</param>
public sealed record PipelineDefaults(int Steps, double GuidanceScale, PixelSize Size)
{
    private const int MaxSteps = 1000, MaxSide = 1 << 15;

    /// <summary>How far an initial image is changed, above 0 to 1; see <see cref="ImageRequest.Strength"/>.</summary>
    public double Strength { get; init; } = 0.8;

    /// <summary>The same for inpainting.</summary>
    public double InpaintStrength { get; init; } = 1;

    /// <summary>These defaults with what a model's own <c>defaults.json</c> says.</summary>
    /// <param name="model">The model's folder; a file has no defaults of its own.</param>
    /// <exception cref="ModelFileException">A value is out of range.</exception>
    internal PipelineDefaults Read(string model)
    {
        string path = Path.Combine(model, "defaults.json");
        if (!File.Exists(path)) return this;
        var config = ModelConfig.Load(path);
        return this with
        {
            Steps = Within(config, "num_inference_steps", Steps, MaxSteps),
            GuidanceScale = config.Double("guidance_scale", GuidanceScale),
            Size = new PixelSize(Within(config, "width", Size.Width, MaxSide), Within(config, "height", Size.Height, MaxSide)),
        };
    }

    private static int Within(ModelConfig config, string key, int fallback, int most) =>
        config.Int(key, fallback) is var value && value >= 1 && value <= most ? value : throw config.Wrong(key, $"between 1 and {most}");
}
