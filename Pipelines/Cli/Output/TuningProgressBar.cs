using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Graphs;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Progress of tuning on stderr: a bar on a terminal, a line for each result otherwise.</summary>
internal static class TuningProgressBar
{
    /// <summary>Runs tuning and shows its progress.</summary>
    /// <param name="title">Shown first, from the number of problems.</param>
    /// <param name="run">Tunes.</param>
    public static async Task<TuningSummary> ShowAsync(Func<int, string> title, Func<IProgress<TuningProgress>, Task<TuningSummary>> run)
    {
        if (Messages.Quiet || !Terminals.ErrorIsInteractive) return await run(new Lines(title)).ConfigureAwait(false);
        var bar = new ProgressBarColumn { Width = Math.Clamp(Terminals.Error.Profile.Width / 3, 6, 40) };
        Messages.BarIsDrawn = true;
        try
        {
            return await Terminals.Error.Progress().AutoClear(false).HideCompleted(false)
                .Columns(bar, new PercentageColumn(), new RemainingTimeColumn())
                .StartAsync(context => run(new Bar(title, context.AddTask("tuning", autoStart: true)))).ConfigureAwait(false);
        }
        finally
        {
            Messages.BarIsDrawn = false;
        }
    }

    /// <summary>The result of a problem: <c>1.12× cpu/packed part_rows=512</c>.</summary>
    public static string Describe(TuningProgress value) => value.Entry is not { } entry ? ""
        : (FormattableString.Invariant($"{entry.Gain:0.00}× {entry.Variant} ")
            + string.Join(' ', entry.Settings.Select(s => $"{s.Key}={s.Value}"))).TrimEnd();

    private sealed class Bar(Func<int, string> title, ProgressTask task) : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
            // a line for each result, above the bar
            Messages.Note(value.Entry is null ? title(value.Total) : $"{value.Problem}  {Describe(value)}");
        }
    }

    private sealed class Lines(Func<int, string> title) : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            Messages.Note(value.Entry is null ? title(value.Total) : $"{value.Done}/{value.Total} {value.Problem}: {Describe(value)}");
        }
    }
}
