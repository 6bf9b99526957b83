using System.Diagnostics;
using System.Globalization;
using ILGpuDiffusion.Pipelines;
using Spectre.Console;

namespace ILGpuDiffusion.Cli;

/// <summary>Progress on stderr: one line that is drawn over on a terminal, plain lines otherwise.</summary>
internal sealed class ConsoleProgress : IProgress<GenerationProgress>, IDisposable
{
    private const int BarWidth = 24;
    private readonly IAnsiConsole? terminal;
    private readonly Stopwatch stage = new();
    private readonly Lock gate = new();
    private string? title;
    private bool lineOpen;

    public ConsoleProgress(string title)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        terminal = console.Profile.Out.IsTerminal && !Console.IsErrorRedirected && console.Profile.Capabilities.Ansi ? console : null;
        this.title = title; // shown with the first report: a request that is refused needs no heading
    }

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            if (title is not null) Console.Error.WriteLine(title);
            title = null;
            if (value.Done <= (value.Stage == GenerationStage.EncodePrompt ? 0 : 1) || !stage.IsRunning) stage.Restart();
            if (value.Stage == GenerationStage.EncodePrompt) return;
            string line = Line(value, value.Stage == GenerationStage.Denoise ? "denoise" : "decode");
            if (terminal is null)
            {
                Console.Error.WriteLine(line);
                return;
            }

            terminal.Write(new ControlCode($"\r\u001b[2K{line}"));
            lineOpen = true;
            if (value.Done == value.Total) EndLine();
        }
    }

    public void Dispose()
    {
        lock (gate) EndLine();
    }

    private void EndLine()
    {
        if (lineOpen) Console.Error.WriteLine();
        lineOpen = false;
    }

    /// <summary>Stage, bar, count, speed and time left. The first step, which includes making the plan, does not count for the speed.</summary>
    private string Line(GenerationProgress value, string name)
    {
        int filled = BarWidth * value.Done / value.Total;
        string bar = terminal is null ? "" : $"[{new string('#', filled)}{new string('.', BarWidth - filled)}] ";
        double perSecond = value.Done > 1 ? (value.Done - 1) / stage.Elapsed.TotalSeconds : 0;
        string speed = perSecond <= 0 ? "" : perSecond >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"  {perSecond:F1} it/s")
            : string.Create(CultureInfo.InvariantCulture, $"  {1 / perSecond:F1} s/it");
        string left = perSecond <= 0 || value.Done == value.Total ? "" : $"  {Quantity.Time((value.Total - value.Done) / perSecond)} left";
        return $"{name} {bar}{value.Done}/{value.Total}{speed}{left}";
    }
}
