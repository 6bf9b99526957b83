using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the solvers that integrate over λ = ln(α/σ), DPM-Solver, DEIS, UniPC and SA-Solver: latents are
/// α·x0 + σ·ε, and x0 or ε of the last evaluations is kept.
/// </summary>
internal abstract class LambdaScheduler : Scheduler
{
    private protected LambdaScheduler(ModelConfig config, DPMSettings settings) : base(config)
    {
        float[] betas = BetaSchedule.Read(config);
        Training = settings.HasFlag(DPMSettings.ZeroSnr) ? TrainingNoise.Read(config, betas, floor: true) : TrainingNoise.From(betas);
        Levels = new DPMSigmas(config, Training, settings);
        Clipping = new ClippingConfig(config);
    }

    public override int TrainTimesteps => Training.Count;

    private protected TrainingNoise Training { get; }

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

    /// <summary>Writes x0 or ε of an evaluation, after clipping x0, into a slot of the history.</summary>
    private protected void WriteOutput(StepWriter step, Slot target, PredictionType prediction, bool predictsData, double sigma)
    {
        var point = Point(sigma);
        var x0 = Denoised(prediction, point, sigma);
        step.Denoise(x0);
        bool clipped = step.ClipDenoised(Clipping);
        var output = predictsData ? x0 : Prediction.Noise(prediction, point.Alpha, point.Sigma);
        if (!clipped) step.Combine(target, (Slot.Sample, output.Sample), (Slot.ModelOutput, output.Output));
        else if (predictsData) step.Combine(target, (Slot.Denoised, 1));
        else step.Combine(target, (Slot.Sample, 1 / point.Sigma), (Slot.Denoised, -point.Alpha / point.Sigma));
    }

    /// <summary>Tables of a number of steps; custom timesteps and sigmas are refused.</summary>
    private protected ScheduleTables TablesOfSteps(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        var (timesteps, sigmas) = Levels.Tables(request.Steps!.Value);
        return new(timesteps, sigmas, 1);
    }

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
