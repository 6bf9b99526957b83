using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Trajectory consistency distillation, strategic stochastic sampling: Zheng et al., 2024 (arXiv:2402.19159). A step goes deterministically
/// to timestep (1 − γ)·next and adds noise to return to the next one; γ is <see cref="ScheduleRequest.Eta"/>.
/// </summary>
internal sealed class TCDScheduler : AlphaScheduler
{
    public static readonly string[] Keys = LCMScheduler.Keys;

    private readonly PredictionType prediction;
    private readonly DistilledTimesteps distilled;

    public TCDScheduler(ModelConfig config)
        : base(config, TrainingNoise.Read(config, BetaSchedule.Read(config, 0.00085, 0.012, "scaled_linear"), floor: false),
            endsAtOne: true)
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        distilled = new DistilledTimesteps(config, Training.Count);
        // read to check them; without effect, as in diffusers
        _ = new TimestepSpacing(config, Training.Count, "leading");
        _ = new ClippingConfig(config, clipByDefault: false);
        _ = config.Double("timestep_scaling", 10);
    }

    public override string Name => nameof(TCDScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        return Tables(request.Timesteps is { } custom ? CustomTimesteps(custom) : distilled.Timesteps(request.Steps!.Value, Name));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        bool last = index == tables.Timesteps.Length - 1;
        double next = last ? 0 : tables.Timesteps[index + 1];
        // float32, as in diffusers
        double between = MathF.Floor((float)(1 - request.Eta) * (float)next);
        double from = Training.AlphaCumprod(tables.Timesteps[index]);
        double middle = Training.AlphaCumprod(between), to = Training.AlphaCumprod(next);
        bool noisy = request.Eta > 0 && !last;
        double back = noisy ? to / middle : 1; // ᾱ from the middle back to the next timestep

        var x0 = Prediction.Denoised(prediction, Math.Sqrt(from), Math.Sqrt(1 - from));
        var epsilon = Prediction.Noise(prediction, Math.Sqrt(from), Math.Sqrt(1 - from));
        double signal = Math.Sqrt(back * middle), noise = Math.Sqrt(back * (1 - middle));
        step.NeedsNoise = noisy;
        step.Denoise(x0);
        step.Combine(Slot.Sample,
            (Slot.Sample, signal * x0.Sample + noise * epsilon.Sample),
            (Slot.ModelOutput, signal * x0.Output + noise * epsilon.Output),
            (Slot.Noise, Math.Sqrt(1 - back)));
    }
}
