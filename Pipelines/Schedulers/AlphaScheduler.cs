using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of DDIM, DDPM, PNDM, LCM and TCD: latents are √ᾱ·x0 + √(1 − ᾱ)·ε at integer timesteps; there is no table of sigmas.
/// </summary>
internal abstract class AlphaScheduler : Scheduler
{
    /// <param name="config">The configuration.</param>
    /// <param name="training">ᾱ of training.</param>
    /// <param name="endsAtOne">The class's default of set_alpha_to_one; null for a class without it, which ends at ᾱ = 1.</param>
    private protected AlphaScheduler(ModelConfig config, TrainingNoise training, bool? endsAtOne) : base(config)
    {
        Training = training;
        FinalAlpha = endsAtOne is not { } fallback || config.Bool("set_alpha_to_one", fallback) ? 1 : training.AlphasCumprod[0];
    }

    public override int TrainTimesteps => Training.Count;

    private protected TrainingNoise Training { get; }

    /// <summary>ᾱ for timesteps below 0, where the run ends.</summary>
    private protected double FinalAlpha { get; }

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index)
    {
        double alpha = Training.AlphaCumprod(tables.Timesteps[index]);
        return (Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
    }

    private protected ScheduleTables Tables(double[] timesteps)
    {
        foreach (double t in timesteps) Training.AlphaCumprod(t); // throws for a timestep outside the training range
        return new(timesteps, [], 1);
    }

    /// <summary>Timesteps of a run of <paramref name="steps"/> steps; throws where one is outside the training range.</summary>
    private protected double[] Timesteps(TimestepSpacing spacing, int steps)
    {
        double[] timesteps = spacing.Timesteps(steps, whole: true);
        return Within(timesteps) ? timesteps
            : throw TooManySteps(steps,
                $"the first timestep would be {timesteps[0]:R}, beyond the {Training.Count} of training (steps_offset)", fewer =>
                Within(spacing.Timesteps(fewer, whole: true)));

        bool Within(double[] all) => all[0] < Training.Count;
    }
}
