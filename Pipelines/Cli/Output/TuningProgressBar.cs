using ILGpuDiffusion.Layers;
using Spectre.Console;

namespace ILGpuDiffusion.Cli;

/// <summary>Progress of tuning on stderr: a bar on a terminal, a line for each result otherwise.</summary>
internal static class TuningProgressBar
{
    /// <summary>Runs something that reports progress.</summary>
    public static TuningSummary Show(Func<IProgress<TuningProgress>, TuningSummary> run)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (!console.Profile.Out.IsTerminal || Console.IsErrorRedirected) return run(new Lines());
        return console.Progress().AutoClear(false).HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .Start(context => run(new Bar(context.AddTask("tuning", autoStart: true))));
    }

    /// <summary>What was found for a problem: <c>1.12× cpu/packed part_rows=512</c>.</summary>
    public static string Describe(TuningProgress value) => value.Entry is not { } entry ? ""
        : $"{entry.Gain.ToString("0.00", System.Globalization.CultureInfo.InvariantCulture)}× {entry.Variant} {string.Join(' ', entry.Settings.Select(s => $"{s.Key}={s.Value}"))}".TrimEnd();

    private sealed class Bar(ProgressTask task) : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
            task.Description = Markup.Escape($"{value.Problem}  {Describe(value)}");
        }
    }

    private sealed class Lines : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            if (value.Entry is not null) Console.Error.WriteLine($"{value.Done}/{value.Total} {value.Problem}: {Describe(value)}");
        }
    }
}
