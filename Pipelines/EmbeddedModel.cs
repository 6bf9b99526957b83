using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines;

/// <summary>The small emoji model of the package ILGpuDiffusion.Models.FluentEmoji, for first programs that need no download.</summary>
public static class EmbeddedModel
{
    /// <summary>The package that copies the model beside the program.</summary>
    internal const string Package = "ILGpuDiffusion.Models.FluentEmoji";

    /// <summary>The folder that the package copies it to.</summary>
    internal static string Location => Path.Combine(AppContext.BaseDirectory, "fluent-emoji");

    /// <summary>The model's folder, beside the program.</summary>
    /// <exception cref="ModelFileException">The folder does not exist: the program does not reference the package.</exception>
    public static string Folder => Find(Location);

    /// <summary>The model's compiled kernels, which its package brings; null if a model is another one, or has none.</summary>
    /// <param name="model">The folder of a model.</param>
    internal static string? PackOf(string model) =>
        Path.Combine(Location, PackName) is var pack && Path.GetFullPath(model) == Location && File.Exists(pack) ? pack : null;

    /// <summary>Name of the file of compiled kernels in the model's folder.</summary>
    internal const string PackName = "kernels.ilgpack";

    internal static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "model_index.json")) ? folder : throw new ModelFileException(folder,
        $"the emoji model was not found beside the program. Reference the package {Package}, or load another model.");
}
