using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Progress of an image on stderr: bars on a terminal, a few lines otherwise.</summary>
internal static class DrawingProgress
{
    private const int WidestBar = 40, NarrowestBar = 6, NameColumns = 9, FactColumns = 22, TimeLeftColumns = 14, ColumnsForTimeLeft = 60;

    /// <summary>Runs a generation and shows its progress.</summary>
    /// <param name="title">Shown with the first report, so that a rejected request has no heading.</param>
    /// <param name="draw">Runs the generation.</param>
    public static async Task<GenerationResult> ShowAsync(string title, Func<IProgress<GenerationProgress>, Task<GenerationResult>> draw)
    {
        if (Messages.Quiet || !Terminals.ErrorIsInteractive)
            return await draw(new ProgressLines(title, Messages.Note)).ConfigureAwait(false);
        int width = Terminals.Error.Profile.Width;
        bool timeLeft = width >= ColumnsForTimeLeft;
        var bar = new ProgressBarColumn
        { Width = Math.Clamp(width - NameColumns - FactColumns - (timeLeft ? TimeLeftColumns : 0), NarrowestBar, WidestBar) };
        var progress = Terminals.Error.Progress().AutoClear(false).HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, bar, new Facts(timeLeft));
        progress.ExcludeVerticalPadding = true;
        Messages.BarIsDrawn = true;
        try
        {
            return await progress.StartAsync(context => draw(new Bars(title, context))).ConfigureAwait(false);
        }
        finally
        {
            Messages.BarIsDrawn = false;
        }
    }

    /// <summary>A bar for each stage.</summary>
    private sealed class Bars(string title, ProgressContext context) : IProgress<GenerationProgress>
    {
        private readonly Lock gate = new();
        private readonly Dictionary<GenerationStage, ProgressTask> tasks = [];
        private bool begun;

        public void Report(GenerationProgress value)
        {
            lock (gate)
            {
                if (!begun) Messages.Note(title);
                begun = true;
                if (value.Stage == GenerationStage.EncodePrompt) return;
                if (!tasks.TryGetValue(value.Stage, out var task))
                {
                    tasks[value.Stage] = task = context.AddTask(StepClock.Name(value.Stage), autoStart: true, maxValue: value.Total);
                    task.Tag = new StepClock();
                }

                ((StepClock)task.Tag!).Report(value.Done, value.Total);
                task.Value = value.Done;
            }
        }
    }

    private sealed class Facts(bool timeLeft) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(((StepClock)task.Tag!).Facts(timeLeft)) { Overflow = Overflow.Ellipsis };
    }
}
