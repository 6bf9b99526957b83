using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Where pictures go.</summary>
internal static class PictureFile
{
    /// <summary>Writes a picture: under its name, to stdout, or without a name under the next free one that prompt and seed give.</summary>
    /// <returns>The name taken.</returns>
    public static string Write(string? name, Image image, string prompt, Seed seed)
    {
        if (name is null) return PictureNames.Save(image, PictureNames.Of(prompt, seed));
        if (OutputFile.IsStandardOutput(name)) StandardStreams.WriteOutput(image.EncodePng());
        else image.Save(name);
        return name;
    }
}
