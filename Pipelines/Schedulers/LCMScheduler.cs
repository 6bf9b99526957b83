using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Latent consistency models: Luo et al., 2023 (arXiv:2310.04378). Each step predicts the clean image and, except the last, adds noise to
/// it again.
/// </summary>
internal sealed class LCMScheduler : AlphaScheduler
{
    public static readonly string[] Keys =
    [
        .. BetaSchedule.Keys, "rescale_betas_zero_snr", .. TimestepSpacing.Keys, .. ClippingConfig.ThresholdKeys,
            .. ClippingConfig.ClipKeys,
        "set_alpha_to_one", "prediction_type", "original_inference_steps", "timestep_scaling",
    ];

    private const double SigmaData = 0.5;
    private readonly PredictionType prediction;
    private readonly ClippingConfig clipping;
    private readonly DistilledTimesteps distilled;
    private readonly double timestepScaling;

    public LCMScheduler(ModelConfig config)
        : base(config, TrainingNoise.Read(config, BetaSchedule.Read(config, 0.00085, 0.012, "scaled_linear"), floor: false),
            endsAtOne: true)
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        clipping = new ClippingConfig(config, clipByDefault: false);
        // read to check it; without effect, since distillation fixed the timesteps
        _ = new TimestepSpacing(config, Training.Count, "leading");
        distilled = new DistilledTimesteps(config, Training.Count);
        timestepScaling = config.Double("timestep_scaling", 10);
    }

    public override string Name => nameof(LCMScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        if (request.Timesteps is { } custom) return Tables(CustomTimesteps(custom));
        return Tables(distilled.Timesteps(request.Steps!.Value, Name));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double timestep = tables.Timesteps[index], from = Training.AlphaCumprod(timestep);
        bool last = index == tables.Timesteps.Length - 1;
        double to = last ? 1 : Training.AlphaCumprod(tables.Timesteps[index + 1], FinalAlpha);
        double signal = Math.Sqrt(to);
        step.NeedsNoise = !last;

        // Boundary condition: at timestep 0 the result is the sample itself. c_skip = σ²/(s² + σ²), c_out = s/√(s² + σ²), in a form that
        // does not overflow.
        double ratio = timestep * timestepScaling / SigmaData;
        double skip = 1 / (1 + ratio * ratio), output = ratio == 0 ? 0 : Math.Sign(ratio) / Math.Sqrt(1 + 1 / (ratio * ratio));

        var x0 = Prediction.Denoised(prediction, Math.Sqrt(from), Math.Sqrt(1 - from));
        step.Denoise(x0);
        if (step.ClipDenoised(clipping))
            step.Combine(Slot.Sample, (Slot.Denoised, signal * output), (Slot.Sample, signal * skip), (Slot.Noise, Math.Sqrt(1 - to)));
        else
            step.Combine(Slot.Sample,
                (Slot.Sample, signal * (output * x0.Sample + skip)),
                (Slot.ModelOutput, signal * output * x0.Output),
                (Slot.Noise, Math.Sqrt(1 - to)));
    }
}
