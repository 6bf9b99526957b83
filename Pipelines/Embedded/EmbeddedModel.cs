using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The small model that ships with the library, so that a first program draws something without a download.</summary>
public static class EmbeddedModel
{
    /// <summary>Its folder, beside the library.</summary>
    /// <exception cref="ModelFileException">The folder was not deployed with the program.</exception>
    public static string Folder
    {
        get
        {
            string path = Path.Combine(AppContext.BaseDirectory, "fluent-emoji");
            return Directory.Exists(path) ? path : throw new ModelFileException(path, "the model that ships with the tool is not there. Name another with --model.");
        }
    }
}
