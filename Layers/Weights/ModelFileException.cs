using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// A model's file or folder is missing, damaged or does not match the model. The message names the file, what was found and what was
/// expected; text from the file is bounded and escaped (<see cref="OutsideText"/>).
/// </summary>
public sealed class ModelFileException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ModelFileException(string file, string problem, Exception? inner = null)
        : base($"{Text.Line(file)}: {Text.Message(problem)}", inner) => File = file;

    /// <summary>The file or folder.</summary>
    public string File { get; }

    /// <summary>The configuration key whose value is missing or invalid; null if none is involved.</summary>
    public string? Key { get; init; }

    /// <summary>The tensor that is missing or does not match; null if none is involved.</summary>
    public string? Tensor { get; init; }
}
