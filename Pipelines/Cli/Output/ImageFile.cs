using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Writes images to files or stdout.</summary>
internal static class ImageFile
{
    /// <summary>Writes an image: to its file, to stdout, or without a name to the next free name made of prompt and seed.</summary>
    /// <returns>The name used.</returns>
    public static string Write(string? name, Image image, string prompt, Seed seed)
    {
        if (name is null) return ImageNames.Save(image, ImageNames.Of(prompt, seed));
        if (OutputFile.IsStandardOutput(name)) StandardStreams.WriteOutput(image.EncodePng());
        else image.Save(name);
        return name;
    }
}
