using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Ancestral sampling of denoising diffusion probabilistic models: Ho et al., 2020 (arXiv:2006.11239), formulas 6 and 7, over the timesteps
/// that the run visits.
/// </summary>
internal sealed class DDPMScheduler : AlphaScheduler
{
    public static readonly string[] Keys =
    [
        .. BetaSchedule.Keys, "rescale_betas_zero_snr", .. TimestepSpacing.Keys, .. ClippingConfig.ThresholdKeys,
            .. ClippingConfig.ClipKeys,
        "prediction_type", "variance_type",
    ];

    private const double LeastVariance = 1e-20; // as in diffusers

    private readonly PredictionType prediction;
    private readonly TimestepSpacing spacing;
    private readonly ClippingConfig clipping;
    private readonly bool large;

    public DDPMScheduler(ModelConfig config)
        : base(config, TrainingNoise.Read(config, BetaSchedule.Read(config, withSigmoid: true), floor: false), endsAtOne: null)
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        spacing = new TimestepSpacing(config, Training.Count, "leading");
        clipping = new ClippingConfig(config, clipByDefault: true);
        // The logarithm of the large variance is negative, and diffusers takes its root; learned variances need a UNet that predicts them.
        // Null, which configurations of DPM-Solver have, is the small one.
        large = !config.IsNull("variance_type")
            && config.Choice("variance_type", "fixed_small", "fixed_small_log", "fixed_large") == 2;
    }

    public override string Name => nameof(DDPMScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        return Tables(request.Timesteps is { } custom ? CustomTimesteps(custom) : Timesteps(spacing, request.Steps!.Value));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double timestep = tables.Timesteps[index], next = index + 1 < tables.Timesteps.Length ? tables.Timesteps[index + 1] : -1;
        double from = Training.AlphaCumprod(timestep), to = Training.AlphaCumprod(next, FinalAlpha);
        double alpha = from / to, beta = 1 - alpha; // of the step
        double variance = large ? beta : Math.Max((1 - to) / (1 - from) * beta, LeastVariance);
        double ofData = Math.Sqrt(to) * beta / (1 - from), ofSample = Math.Sqrt(alpha) * (1 - to) / (1 - from);
        step.NeedsNoise = timestep > 0;
        double noise = step.NeedsNoise ? Math.Sqrt(variance) : 0;

        var x0 = Prediction.Denoised(prediction, Math.Sqrt(from), Math.Sqrt(1 - from));
        step.Denoise(x0);
        if (step.ClipDenoised(clipping))
            step.Combine(Slot.Sample, (Slot.Denoised, ofData), (Slot.Sample, ofSample), (Slot.Noise, noise));
        else
            step.Combine(Slot.Sample,
                (Slot.Sample, ofData * x0.Sample + ofSample), (Slot.ModelOutput, ofData * x0.Output), (Slot.Noise, noise));
    }
}
