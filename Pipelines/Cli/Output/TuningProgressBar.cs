using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Graphs;
using Spectre.Console;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Progress of tuning on stderr: a bar on a terminal, a line for each result otherwise.</summary>
internal static class TuningProgressBar
{
    /// <summary>Runs tuning and shows its progress.</summary>
    public static TuningSummary Show(Func<IProgress<TuningProgress>, TuningSummary> run)
    {
        if (Messages.Quiet || !Terminals.ErrorIsInteractive) return run(new Lines());
        var bar = new ProgressBarColumn { Width = Math.Clamp(Terminals.Error.Profile.Width / 3, 6, 40) };
        Messages.BarIsDrawn = true;
        try
        {
            return Terminals.Error.Progress().AutoClear(false).HideCompleted(false)
                .Columns(bar, new PercentageColumn(), new RemainingTimeColumn())
                .Start(context => run(new Bar(context.AddTask("tuning", autoStart: true))));
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

    private sealed class Bar(ProgressTask task) : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
            if (value.Entry is not null) Messages.Note($"{value.Problem}  {Describe(value)}"); // a line for each result, above the bar
        }
    }

    private sealed class Lines : IProgress<TuningProgress>
    {
        public void Report(TuningProgress value)
        {
            if (value.Entry is not null) Messages.Note($"{value.Done}/{value.Total} {value.Problem}: {Describe(value)}");
        }
    }
}
