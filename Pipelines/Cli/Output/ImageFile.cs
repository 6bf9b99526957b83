using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Where images go.</summary>
internal static class ImageFile
{
    /// <summary>Writes an image: under its name, to stdout, or without a name under the next free one that prompt and seed give.</summary>
    /// <returns>The name taken.</returns>
    public static string Write(string? name, Image image, string prompt, Seed seed)
    {
        if (name is null) return ImageNames.Save(image, ImageNames.Of(prompt, seed));
        if (OutputFile.IsStandardOutput(name)) StandardStreams.WriteOutput(image.EncodePng());
        else image.Save(name);
        return name;
    }
}
