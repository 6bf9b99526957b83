using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Euler's method in σ that steps below the target level and adds noise to return to it, at every step (k-diffusion's
/// sample_euler_ancestral).
/// </summary>
internal sealed class EulerAncestralDiscreteScheduler(ModelConfig config)
    : SigmaScheduler(config, TrainingNoise.Read(config, BetaSchedule.Read(config), floor: true))
{
    public static readonly string[] Keys = [.. BetaSchedule.Keys, "rescale_betas_zero_snr", .. TimestepSpacing.Keys, "prediction_type"];

    private readonly PredictionType prediction =
        Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);

    public override string Name => nameof(EulerAncestralDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        double[] timesteps = Spacing.Timesteps(request.Steps!.Value, whole: false);
        return Tables(timesteps, SigmaTable.Rounded(SigmasAt(timesteps).Append(0)));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        if (prediction == PredictionType.Sample) throw PredictionRefused(prediction);
        double sigma = tables.Sigmas[index];
        var (up, down) = AncestralStep.Split((float)sigma, (float)tables.Sigmas[index + 1]);
        step.NeedsNoise = true;
        EulerStep.Write(step, Denoised(prediction, sigma, sigma), sigma, down, before: 0, after: up);
    }
}
