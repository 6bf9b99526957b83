using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the Euler methods: latents are x0 + σ·ε, unbounded like σ, and are scaled down before they enter the model.
/// </summary>
internal abstract class SigmaScheduler : Scheduler
{
    private protected SigmaScheduler(ModelConfig config) : base(config)
    {
        Training = TrainingNoise.Read(config, BetaSchedule.Read(config), floor: true);
        Spacing = new TimestepSpacing(config, Training.Count, "linspace");
    }

    public override int TrainTimesteps => Training.Count;

    protected internal override int HistorySlots => 0;

    private protected TrainingNoise Training { get; }

    private protected TimestepSpacing Spacing { get; }

    protected internal override double InputScale(ScheduleTables tables, int index) =>
        1 / Math.Sqrt(tables.Sigmas[index] * tables.Sigmas[index] + 1);

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index) => (1, tables.Sigmas[index]);

    /// <summary>
    /// Completes the tables. Leading spacing begins below the noisiest timestep, so its start latents have the signal's variance too.
    /// </summary>
    private protected ScheduleTables Tables(double[] timesteps, double[] sigmas)
    {
        double noisiest = sigmas.Max();
        return new(timesteps, sigmas, Spacing.IsLeading ? Math.Sqrt(noisiest * noisiest + 1) : noisiest);
    }

    /// <summary>x0 from the model's output for x/√(σ² + 1).</summary>
    private protected static Blend Denoised(PredictionType prediction, double sigma, double sigmaHat) => prediction switch
    {
        PredictionType.Epsilon => new(1, -sigmaHat),
        PredictionType.Sample => new(0, 1),
        _ => new(1 / (sigma * sigma + 1), -sigma / Math.Sqrt(sigma * sigma + 1)),
    };

    /// <summary>
    /// One Euler step along dx/dσ = (x̂ − x0)/σ̂ from σ̂ to a lower level, with x̂ = x + before·noise, then after·noise on top.
    /// </summary>
    private protected static void Advance(StepWriter step, Blend denoised, double sigmaHat, double target, double before, double after)
    {
        double slope = (target - sigmaHat) / sigmaHat;
        double sample = 1 + (1 - denoised.Sample) * slope;
        step.Denoise(denoised, denoised.Sample * before);
        step.Combine(Slot.Sample,
            (Slot.Sample, sample),
            (Slot.ModelOutput, -denoised.Output * slope),
            (Slot.Noise, sample * before + after));
    }
}
