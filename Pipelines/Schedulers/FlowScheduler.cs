using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the methods for rectified flow (Esser et al., 2024, arXiv:2403.03206): latents are (1 − σ)·x0 + σ·ε, the model predicts
/// the velocity ε − x0, and its timestep is σ·num_train_timesteps.
/// </summary>
internal abstract class FlowScheduler : Scheduler
{
    private protected FlowScheduler(ModelConfig config) : base(config)
    {
        TrainTimesteps = BetaSchedule.Count(config);
        Shift = config.Double("shift", 1);
        if (Shift <= 0) throw config.Wrong("shift", "above 0");
    }

    public override int TrainTimesteps { get; }

    /// <summary>The shift towards noise.</summary>
    private protected double Shift { get; }

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index) =>
        (1 - tables.Sigmas[index], tables.Sigmas[index]);

    /// <summary>Noise levels evenly spaced over those of training, which may be shifted already.</summary>
    private protected double[] Even(int steps, bool shifted)
    {
        double high = 1, low = (float)(1f / TrainTimesteps);
        if (shifted) (high, low) = (Rounded(high), Rounded(low));
        return [.. Grid.Linspace(high * TrainTimesteps, low * TrainTimesteps, steps).Select(t => t / TrainTimesteps)];

        // in float32, as diffusers keeps its table
        double Rounded(double sigma) => (float)Shift * (float)sigma / (1 + (float)(Shift - 1) * (float)sigma);
    }

    /// <summary>A level shifted towards noise: s·σ/(1 + (s − 1)·σ).</summary>
    private protected double Shifted(double sigma) => Shift * sigma / (1 + (Shift - 1) * sigma);

    /// <summary>The model's timesteps of noise levels.</summary>
    private protected double[] Timesteps(IEnumerable<double> sigmas) =>
        [.. sigmas.Select(sigma => (double)((float)sigma * TrainTimesteps))];

    /// <summary>x0 from the velocity.</summary>
    private protected static Blend Denoised(double sigma) => new(1, -sigma);
}
