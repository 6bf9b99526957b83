using System.Diagnostics;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Progress for files and pipes: the first and the last step of each stage, and between them a line every few seconds.</summary>
/// <param name="title">The first line.</param>
/// <param name="say">Writes a line.</param>
internal sealed class ProgressLines(string title, Action<string> say) : IProgress<GenerationProgress>
{
    /// <summary>The time between two lines.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Stopwatch sinceLine = new();
    private StepClock clock = new();
    private GenerationStage? stage;
    private bool begun;

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            if (!begun) say(title);
            begun = true;
            if (value.Stage == GenerationStage.EncodePrompt || value.Done == 0) return;
            bool first = value.Stage != stage;
            if (first) (stage, clock) = (value.Stage, new StepClock());
            clock.Report(value.Done, value.Total);
            if (!first && value.Done != value.Total && sinceLine.Elapsed < Interval) return;
            say($"{StepClock.Name(value.Stage)} {clock.Facts(timeLeft: true)}");
            sinceLine.Restart();
        }
    }
}
