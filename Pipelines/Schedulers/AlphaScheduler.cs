using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>What DDIM, PNDM and LCM share: latents are √ᾱ·x0 + √(1 − ᾱ)·ε at whole timesteps, and there is no table of sigmas.</summary>
internal abstract class AlphaScheduler : Scheduler
{
    private protected AlphaScheduler(ModelConfig config, TrainingNoise training, bool endsAtOne) : base(config)
    {
        Training = training;
        FinalAlpha = config.Bool("set_alpha_to_one", endsAtOne) ? 1 : training.AlphasCumprod[0];
    }

    public override int TrainTimesteps => Training.Count;

    private protected TrainingNoise Training { get; }

    /// <summary>ᾱ for timesteps before the first: where the run ends.</summary>
    private protected double FinalAlpha { get; }

    internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index)
    {
        double alpha = Training.AlphaCumprod(tables.Timesteps[index]);
        return (Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
    }

    private protected ScheduleTables Tables(double[] timesteps)
    {
        foreach (double t in timesteps) Training.AlphaCumprod(t); // a timestep outside training is refused here
        return new(timesteps, [], 1);
    }

    /// <summary>The timesteps of a run of so many steps, all of which must lie within training.</summary>
    private protected double[] Timesteps(TimestepSpacing spacing, int steps)
    {
        double[] timesteps = spacing.Timesteps(steps, whole: true);
        return Within(timesteps) ? timesteps
            : throw TooManySteps(steps,
                $"the first would lie at timestep {timesteps[0]:R}, behind the {Training.Count} of training (steps_offset)", fewer =>
                Within(spacing.Timesteps(fewer, whole: true)));

        bool Within(double[] all) => all[0] < Training.Count;
    }
}
