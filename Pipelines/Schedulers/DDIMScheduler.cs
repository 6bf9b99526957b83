using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Denoising diffusion implicit models: Song et al., 2020 (arXiv:2010.02502), formulas 12 and 16.</summary>
internal sealed class DDIMScheduler : AlphaScheduler
{
    public static readonly string[] Keys =
    [
        .. BetaSchedule.Keys, "rescale_betas_zero_snr", .. TimestepSpacing.Keys, .. ClippingConfig.ThresholdKeys,
            .. ClippingConfig.ClipKeys,
        "set_alpha_to_one", "prediction_type",
    ];

    private readonly PredictionType prediction;
    private readonly TimestepSpacing spacing;
    private readonly ClippingConfig clipping;

    public DDIMScheduler(ModelConfig config)
        : base(config, TrainingNoise.Read(config, BetaSchedule.Read(config), floor: false), endsAtOne: true)
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        spacing = new TimestepSpacing(config, Training.Count, "leading");
        clipping = new ClippingConfig(config, clipByDefault: true);
    }

    public override string Name => nameof(DDIMScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        return Tables(Timesteps(spacing, request.Steps!.Value));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        // A step always spans T / steps timesteps, whatever the spacing.
        double timestep = tables.Timesteps[index], next = timestep - Training.Count / request.Steps!.Value;
        double from = Training.AlphaCumprod(timestep), to = Training.AlphaCumprod(next, FinalAlpha);
        double alpha = Math.Sqrt(from), sigma = Math.Sqrt(1 - from);

        // σ_t² of formula 16. Skipped without η: it is 0/0 where a custom schedule begins without noise.
        double variance = request.Eta == 0 ? 0 : request.Eta * request.Eta * (1 - to) / (1 - from) * (1 - from / to);
        double direction = Math.Sqrt(Math.Max(1 - to - variance, 0)), signal = Math.Sqrt(to);
        step.NeedsNoise = request.Eta > 0;

        var x0 = Prediction.Denoised(prediction, alpha, sigma);
        var epsilon = Prediction.Noise(prediction, alpha, sigma);
        step.Denoise(x0);
        if (!step.ClipDenoised(clipping))
            step.Combine(Slot.Sample,
                (Slot.Sample, signal * x0.Sample + direction * epsilon.Sample),
                (Slot.ModelOutput, signal * x0.Output + direction * epsilon.Output),
                (Slot.Noise, Math.Sqrt(variance)));
        else if (request.UseClippedModelOutput)
            step.Combine(Slot.Sample,
                (Slot.Denoised, signal - direction * alpha / sigma),
                (Slot.Sample, direction / sigma),
                (Slot.Noise, Math.Sqrt(variance)));
        else
            step.Combine(Slot.Sample,
                (Slot.Denoised, signal),
                (Slot.Sample, direction * epsilon.Sample),
                (Slot.ModelOutput, direction * epsilon.Output),
                (Slot.Noise, Math.Sqrt(variance)));
    }
}
