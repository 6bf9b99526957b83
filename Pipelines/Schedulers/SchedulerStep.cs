using System.Collections.Immutable;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// What a device computes after one model evaluation. Built when the schedule is made; running it allocates nothing and reads nothing back.
/// </summary>
public sealed class SchedulerStep
{
    internal SchedulerStep(bool needsNoise, ImmutableArray<SchedulerInstruction> instructions,
        ImmutableArray<SchedulerInstruction> preview) =>
        (NeedsNoise, Instructions, Preview) = (needsNoise, instructions, preview);

    /// <summary>
    /// Whether the caller must fill <see cref="Slot.Noise"/> with fresh standard normal values first. Noise is drawn exactly where
    /// diffusers draws it, so that a seed gives the same image, even where the last draw is multiplied by zero.
    /// </summary>
    public bool NeedsNoise { get; }

    /// <summary>Turns <see cref="Slot.Sample"/> into the sample of the next evaluation, in this order.</summary>
    public ImmutableArray<SchedulerInstruction> Instructions { get; }

    /// <summary>
    /// Computes the predicted clean latents x0 into <see cref="Slot.Denoised"/> and changes nothing else, for previews. Optional; must run
    /// before <see cref="Instructions"/> (which may repeat it).
    /// </summary>
    public ImmutableArray<SchedulerInstruction> Preview { get; }

    /// <summary>The instructions, one per line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Instructions);
}
