using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the Euler, Heun, LMS and DPM2 methods: latents are x0 + σ·ε, unbounded like σ, and are scaled down before they enter the
/// model.
/// </summary>
internal abstract class SigmaScheduler : Scheduler
{
    private protected SigmaScheduler(ModelConfig config, TrainingNoise training) : base(config)
    {
        Training = training;
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

    /// <summary>Noise levels from a formula, with their timesteps; those given where there is no formula.</summary>
    private protected (double[] Timesteps, double[] Sigmas) Respaced(SigmaSpacing spacing, double[] timesteps, double[] sigmas)
    {
        if (spacing.Kind is null) return (timesteps, sigmas);
        sigmas = spacing.Sigmas(sigmas[0], sigmas[^1], timesteps.Length);
        return ([.. sigmas.Select(sigma => SigmaTable.ToTimestep(Training.LogSigmas, sigma))], sigmas);
    }

    /// <summary>σ at timesteps of training.</summary>
    private protected double[] SigmasAt(double[] timesteps) => [.. timesteps.Select(t => SigmaTable.At(Training.Sigmas, t))];

    /// <summary>x0 from the model's output for x/√(σ² + 1).</summary>
    private protected static Blend Denoised(PredictionType prediction, double sigma, double sigmaHat) => prediction switch
    {
        PredictionType.Epsilon => new(1, -sigmaHat),
        PredictionType.Sample => new(0, 1),
        _ => new(1 / (sigma * sigma + 1), -sigma / Math.Sqrt(sigma * sigma + 1)),
    };
}
