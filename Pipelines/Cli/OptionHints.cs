using System.CommandLine;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Cli;

/// <summary>
/// Translates the library's messages for the command line: exceptions name properties and parameters, users give options.
/// </summary>
internal static class OptionHints
{
    /// <summary>Options that reduce the use of memory.</summary>
    public const string LessMemory =
        "A smaller --width and --height, --count 1 or --vae-tiling take less; on a GPU also --offload and --dtype fp16.";

    /// <summary>
    /// The option of a command that sets the property or parameter which an exception names, by the rule that all options follow
    /// (GuidanceScale is --guidance-scale, NegativePrompts2 is --negative-prompt-2); null where there is none, or where the message names
    /// it.
    /// </summary>
    public static string? For(ArgumentException e, Command? command)
    {
        if (e.ParamName is not { Length: > 0 } property || command is null) return null;
        property = property[(property.LastIndexOf('.') + 1)..];
        string words = string.Concat(property
            .Select((c, i) => char.IsUpper(c) && i > 0 && !char.IsUpper(property[i - 1]) ? $"-{c}" : char.IsDigit(c) ? $"-{c}" : $"{c}"))
            .ToLowerInvariant();
        string[] names = [$"--{words}", $"--{words.Replace("prompts", "prompt", StringComparison.Ordinal)}",
            $"--{words.Replace("-", "", StringComparison.Ordinal)}"];
        string? option = command.Options.FirstOrDefault(o => names.Contains(o.Name))?.Name;
        return option is null || e.Message.Contains(option, StringComparison.Ordinal) ? null : option;
    }

    /// <summary>An exception's message with a hint.</summary>
    public static string Explain(Exception e) => e switch
    {
        ArgumentException argument => Plain(argument),
        DeviceException { NeededBytes: not null } => $"{e.Message} {LessMemory}",
        ModelFileException { Key: "_class_name" } when e.Message.Contains("scheduler", StringComparison.Ordinal) =>
            $"{e.Message} Here: --scheduler NAME.",
        ModelFileException when e.Message.Contains(nameof(ModelSourceOptions.ConfigFolder), StringComparison.Ordinal) =>
            $"{e.Message} Here: --config DIR.",
        NonFiniteException when e.Message.Contains("DType", StringComparison.Ordinal) => $"{e.Message} That is --dtype bf16 or fp32.",
        _ => e.Message,
    };

    /// <summary>Removes the parameter's name that .NET appends to an argument's message: the command line has no parameters.</summary>
    private static string Plain(ArgumentException e) =>
        e.ParamName is { } name ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal).Split('\n')[0] : e.Message;
}
