using System.CommandLine;
using System.CommandLine.Parsing;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli;

/// <summary>Runs a parsed command, and reports failures to the user in one or two lines on stderr.</summary>
internal static class CommandInvocation
{
    /// <summary>Runs the parsed command until it ends or a signal ends it.</summary>
    public static async Task<int> RunAsync(ParseResult parsed)
    {
        using var interrupts = new Interrupts();
        // on another thread: a command that blocks must not delay signals
        var work = Task.Run(() => InvokeAsync(parsed, interrupts.Token));
        if (await Task.WhenAny(work, interrupts.Overdue).ConfigureAwait(false) != work)
        {
            Messages.Error("cancelled, during work that cannot be interrupted.");
            Interrupts.EndNow(Interrupts.Code);
        }

        return await work.ConfigureAwait(false);
    }

    /// <summary>Reports an exception and returns the exit code.</summary>
    public static int Report(Exception failure, ParseResult? parsed)
    {
        switch (failure)
        {
            case OperationCanceledException:
                Messages.Error("cancelled; nothing was written.");
                return Interrupts.Code;
            case ArgumentException e: // a value that the parser cannot check, such as a width that the model does not support
                Messages.Error(OptionHints.Explain(e));
                if (OptionHints.For(e, parsed?.CommandResult.Command) is { } option)
                    Messages.Detail($"The value comes from {option}, or from the model's own settings.");
                return ExitCodes.WrongUsage;
            case ModelFileException or ImageFileException or DeviceException or NonFiniteException or ShapeException or IOException
                or UnauthorizedAccessException or NotSupportedException:
                Messages.Error(OptionHints.Explain(failure));
                return ExitCodes.Failed;
            case OutOfMemoryException:
                Messages.Error($"there is not enough memory for this. {OptionHints.LessMemory}");
                return ExitCodes.Failed;
            default:
                Messages.Error($"internal error: {failure.Message}");
                Messages.Detail(Environment.GetEnvironmentVariable("ILGPUDIFFUSION_DEBUG") == "1" ? failure.ToString()
                    : "Set ILGPUDIFFUSION_DEBUG=1 for details worth reporting.");
                return ExitCodes.Failed;
        }
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            // The directive [suggest] completes lines that have errors.
            if (parsed.Errors.Count > 0 && !parsed.RootCommandResult.Children.OfType<DirectiveResult>().Any()) return Refuse(parsed);
            return await parsed.InvokeAsync(new InvocationConfiguration
            { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellation).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the last resort: the user gets one line and a hint at the details, never a stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Report(e, parsed);
        }
    }

    private static int Refuse(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // "Unrecognized …" before "Required …", which it explains
        string[] problems = [.. parsed.Errors.Select(e => e.Message).Distinct().Order(StringComparer.Ordinal).Reverse()];
        string[] guesses = [.. parsed.UnmatchedTokens.Select(token => Guess.Token(token, command)).OfType<string>().Distinct()];
        string guess = guesses.Length == 0 ? "" : $" Did you mean {string.Join(" and ", guesses)}?";
        Messages.Error(string.Join(" ", problems) + guess);
        Messages.Detail($"Try: ilgd {(command is RootCommand ? "" : command.Name + " ")}--help");
        return ExitCodes.WrongUsage;
    }
}
