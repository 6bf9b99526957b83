using System.Diagnostics;
using System.Globalization;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Progress, speed and remaining time of a stage. The first step, which includes making the plan, is not counted.</summary>
internal sealed class StepClock
{
    private readonly Stopwatch clock = new();
    private int done, total = 1;

    /// <summary>Display name of a stage.</summary>
    public static string Name(GenerationStage stage) => stage == GenerationStage.Denoise ? "denoise" : "decode";

    /// <summary>Records a report.</summary>
    public void Report(int stepsDone, int ofSteps)
    {
        if (stepsDone <= 1 || !clock.IsRunning) clock.Restart();
        (done, total) = (stepsDone, ofSteps);
    }

    /// <summary>Such as <c>12/30  2.1 it/s  8.6 s left</c>.</summary>
    public string Facts(bool timeLeft)
    {
        double perSecond = done > 1 ? (done - 1) / clock.Elapsed.TotalSeconds : 0;
        string speed = perSecond <= 0 ? "" : perSecond >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"  {perSecond:F1} it/s")
            : string.Create(CultureInfo.InvariantCulture, $"  {1 / perSecond:F1} s/it");
        string left = !timeLeft || perSecond <= 0 || done == total ? "" : $"  {Quantity.Time((total - done) / perSecond)} left";
        return $"{done}/{total}{speed}{left}";
    }
}
