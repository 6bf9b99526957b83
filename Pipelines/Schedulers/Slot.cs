namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Names one tensor that a step program works on. All slots of a run have the shape of the latents. The caller owns the tensors and
/// binds them by <see cref="Index"/>: sample, model output, noise, denoised, then <see cref="Schedule.HistorySlots"/> states.
/// </summary>
/// <param name="Index">Position in the caller's table of tensors, 0 …</param>
public readonly record struct Slot(int Index)
{
    private const int FirstHistory = 4;

    /// <summary>The latents: x at this evaluation before the program, x at the next evaluation after it.</summary>
    public static Slot Sample { get; } = new(0);

    /// <summary>The model's prediction, after guidance. Programs do not write it.</summary>
    public static Slot ModelOutput { get; } = new(1);

    /// <summary>
    /// Standard normal values, drawn by the caller before every program whose <see cref="SchedulerStep.NeedsNoise"/> is true. Programs do
    /// not write it.
    /// </summary>
    public static Slot Noise { get; } = new(2);

    /// <summary>The predicted clean latents x0, where a program computes them.</summary>
    public static Slot Denoised { get; } = new(3);

    /// <summary>
    /// State that the scheduler keeps from one evaluation to the next. Old states are renamed from step to step, never copied.
    /// </summary>
    /// <param name="number">0 … <see cref="Schedule.HistorySlots"/> − 1.</param>
    public static Slot History(int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        return new(FirstHistory + number);
    }

    /// <summary>"Sample", "ModelOutput", "Noise", "Denoised" or "History k".</summary>
    public override string ToString() => Index switch
    {
        0 => "Sample",
        1 => "ModelOutput",
        2 => "Noise",
        3 => "Denoised",
        _ => $"History {Index - FirstHistory}",
    };
}
