using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// Settings of requests that leave them out: from the model folder's own <c>defaults.json</c> where it has one, else diffusers' defaults.
/// </summary>
/// <param name="Steps">Denoising steps.</param>
/// <param name="GuidanceScale">Classifier-free guidance.</param>
/// <param name="Size">Size of an image in pixels.</param>
public sealed record PipelineDefaults(int Steps, double GuidanceScale, PixelSize Size)
{
    private const int MaxSteps = 1000, MaxSide = 1 << 15;

    internal static PipelineDefaults Read(string folder, double guidanceScale, PixelSize trained)
    {
        string path = Path.Combine(folder, "defaults.json");
        if (!File.Exists(path)) return new PipelineDefaults(50, guidanceScale, trained);
        var config = ModelConfig.Load(path);
        return new PipelineDefaults(
            Within(config, "num_inference_steps", 50, MaxSteps), config.Double("guidance_scale", guidanceScale),
            new PixelSize(Within(config, "width", trained.Width, MaxSide), Within(config, "height", trained.Height, MaxSide)));
    }

    private static int Within(ModelConfig config, string key, int fallback, int most) =>
        config.Int(key, fallback) is var value && value >= 1 && value <= most ? value : throw config.Wrong(key, $"between 1 and {most}");
}
