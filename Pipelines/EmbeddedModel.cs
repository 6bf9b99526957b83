using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The small model of emoji in the package ILGpuDiffusion.Models.FluentEmoji, so that a first program draws something without a download.</summary>
public static class EmbeddedModel
{
    /// <summary>The package that puts the model beside the program.</summary>
    internal const string Package = "ILGpuDiffusion.Models.FluentEmoji";

    /// <summary>The folder where the package puts it.</summary>
    internal static string Location => Path.Combine(AppContext.BaseDirectory, "fluent-emoji");

    /// <summary>Its folder, beside the program.</summary>
    /// <exception cref="ModelFileException">The folder is not there: the program does not reference the package.</exception>
    public static string Folder => Find(Location);

    internal static string Find(string folder) => File.Exists(Path.Combine(folder, "model_index.json")) ? folder : throw new ModelFileException(folder,
        $"the small model of emoji is not beside the program. Reference the package {Package}, or load another model.");
}
