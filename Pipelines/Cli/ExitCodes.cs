using System.CommandLine;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli;

/// <summary>What the process answers, and how failures reach the user: one or two lines on stderr.</summary>
internal static class ExitCodes
{
    public const int Done = 0, Failed = 1, WrongUsage = 2, Cancelled = 130;

    public static async Task<int> RunAsync(ParseResult parsed)
    {
        if (parsed.Errors.Count > 0)
        {
            var command = parsed.CommandResult.Command;
            string[] problems = [.. parsed.Errors.Select(e => e.Message).Distinct().Order(StringComparer.Ordinal).Reverse()]; // "Unrecognized …" before "Required …", which it explains
            await Console.Error.WriteLineAsync($"ilgd: {string.Join(" ", problems)}").ConfigureAwait(false);
            await Console.Error.WriteLineAsync($"Try: ilgd {(command is RootCommand ? "" : command.Name + " ")}--help").ConfigureAwait(false);
            return WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("ilgd: cancelled; nothing was written.").ConfigureAwait(false);
            return Cancelled;
        }
        catch (DiffusionRequestException e)
        {
            await Console.Error.WriteLineAsync($"ilgd: {e.Message}").ConfigureAwait(false);
            if (OptionOf(e, parsed) is { } option) await Console.Error.WriteLineAsync($"The value comes from {option}, or from the model's own settings.").ConfigureAwait(false);
            return WrongUsage;
        }
        catch (ArgumentException e) // a value that the parser could not judge, such as a width that the model cannot draw
        {
            await Console.Error.WriteLineAsync($"ilgd: {FirstLine(e)}").ConfigureAwait(false);
            return WrongUsage;
        }
        catch (Exception e) when (e is ModelFileException or ImageFileException or DeviceException or NonFiniteException or ShapeException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            await Console.Error.WriteLineAsync($"ilgd: {e.Message}").ConfigureAwait(false);
            return Failed;
        }
        catch (OutOfMemoryException)
        {
            await Console.Error.WriteLineAsync("ilgd: there is not enough memory for this. A smaller --width and --height, --count 1 or --vae-tiling take less.").ConfigureAwait(false);
            return Failed;
        }
#pragma warning disable CA1031 // the last resort: a user gets one line and a way to the details, never a stack dump
        catch (Exception e)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"ilgd: internal error: {e.Message}").ConfigureAwait(false);
            await Console.Error.WriteLineAsync(Environment.GetEnvironmentVariable("ILGPUDIFFUSION_DEBUG") == "1" ? e.ToString() : "Set ILGPUDIFFUSION_DEBUG=1 for details worth reporting.").ConfigureAwait(false);
            return Failed;
        }
    }

    /// <summary>The option that sets a property of the request: GuidanceScale is --guidance-scale, NegativePrompts2 is --negative-prompt-2.</summary>
    private static string? OptionOf(DiffusionRequestException e, ParseResult parsed)
    {
        string words = string.Concat(e.Property.Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : char.IsDigit(c) ? $"-{c}" : $"{char.ToLowerInvariant(c)}"));
        string[] names = [$"--{words}", $"--{words.Replace("prompts", "prompt", StringComparison.Ordinal)}"];
        return parsed.CommandResult.Command.Options.FirstOrDefault(o => names.Contains(o.Name))?.Name;
    }

    /// <summary>.NET appends the parameter's name to an argument's message; users have no parameters.</summary>
    private static string FirstLine(ArgumentException e) =>
        e.ParamName is { } name ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal).Split('\n')[0] : e.Message;
}
