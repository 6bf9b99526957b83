using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>An image file could not be read or written. The message names the file and what is wrong.</summary>
public sealed class ImageFileException(string file, string problem, Exception? inner = null)
    : Exception($"{OutsideText.Line(file)}: {OutsideText.Message(problem)}", inner)
{
    /// <summary>The file.</summary>
    public string File { get; } = file;
}
