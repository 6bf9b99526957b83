using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>A model's file or folder that is missing, damaged or does not fit the model. The message names the file, what was found and what was expected;
/// what comes from the file is bounded and made visible (<see cref="OutsideText"/>).</summary>
public sealed class ModelFileException : Exception
{
    /// <summary>Names the file and what is wrong with it.</summary>
    public ModelFileException(string file, string problem, Exception? inner = null)
        : base($"{Text.Line(file)}: {Text.Message(problem)}", inner) => File = file;

    /// <summary>The file or folder in question.</summary>
    public string File { get; }

    /// <summary>The key of a configuration whose value is missing or unusable; null where it is about something else.</summary>
    public string? Key { get; init; }

    /// <summary>The name of the tensor that is missing or does not fit; null where it is about something else.</summary>
    public string? Tensor { get; init; }
}
