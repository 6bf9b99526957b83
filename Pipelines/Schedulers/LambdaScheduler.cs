using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the solvers that integrate over λ = ln(α/σ), DPM-Solver and UniPC: latents are α·x0 + σ·ε, and x0 or ε of the last
/// evaluations is kept.
/// </summary>
internal abstract class LambdaScheduler : Scheduler
{
    private protected LambdaScheduler(ModelConfig config, bool forUniPC) : base(config)
    {
        var training = TrainingNoise.Read(config, BetaSchedule.Read(config), floor: true);
        TrainTimesteps = training.Count;
        Levels = new DPMSigmas(config, training, forUniPC);
        Clipping = new ClippingConfig(config);
    }

    public override int TrainTimesteps { get; }

    private protected DPMSigmas Levels { get; }

    private protected ClippingConfig Clipping { get; }

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index)
    {
        var point = Point(tables.Sigmas[index]);
        return (point.Alpha, point.Sigma);
    }

    protected override void Check(ScheduleRequest request, ScheduleTables tables)
    {
        if (request.Steps is { } steps && !Falls(tables.Sigmas))
            throw TooManySteps(steps, "some of them would not change the noise level", fewer => Falls(Levels.Tables(fewer).Sigmas));
    }

    /// <summary>Reads prediction_type; the velocity of rectified flow gives x0, and not ε, in diffusers.</summary>
    private protected static PredictionType ReadPrediction(ModelConfig config, bool predictsData) => predictsData
        ? Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction,
            PredictionType.FlowPrediction)
        : Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);

    /// <summary>The point of the noise schedule at a level σ.</summary>
    private protected DPMPoint Point(double sigma)
    {
        if (Levels.IsFlow) return new(1 - sigma, sigma);
        double alpha = 1 / Math.Sqrt(sigma * sigma + 1);
        return new(alpha, sigma * alpha);
    }

    /// <summary>The points of <paramref name="count"/> evaluations before an index, the last one first.</summary>
    private protected DPMPoint[] Before(ScheduleTables tables, int index, int count) =>
        [.. Enumerable.Range(1, count).Select(back => Point(tables.Sigmas[index - back]))];

    /// <summary>x0 at an evaluation.</summary>
    private protected static Blend Denoised(PredictionType prediction, DPMPoint point, double sigma) =>
        Prediction.Denoised(prediction, point.Alpha, prediction == PredictionType.FlowPrediction ? sigma : point.Sigma);

    /// <summary>
    /// Whether noise levels fall strictly. A step between equal levels changes nothing, and divides by zero where history is weighted by
    /// step length.
    /// </summary>
    private static bool Falls(double[] levels)
    {
        for (int i = 2; i < levels.Length; i++) // the final level may equal the one before
            if (levels[i - 1] >= levels[i - 2]) return false;
        return true;
    }
}
