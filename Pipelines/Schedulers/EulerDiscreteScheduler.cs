using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Euler's method in σ: Karras et al., 2022 (arXiv:2206.00364), algorithm 2, without noise unless <see cref="ScheduleRequest.SChurn"/> is
/// above 0.
/// </summary>
internal sealed class EulerDiscreteScheduler : SigmaScheduler
{
    public static readonly string[] Keys =
    [
        .. BetaSchedule.Keys, "rescale_betas_zero_snr", .. TimestepSpacing.Keys, .. SigmaSpacing.Keys,
        "prediction_type", "interpolation_type", "timestep_type", "final_sigmas_type",
    ];

    private readonly PredictionType prediction;
    private readonly SigmaSpacing sigmaSpacing;
    private readonly bool logLinear;
    private readonly bool continuous;
    private readonly bool endsAtZero;

    public EulerDiscreteScheduler(ModelConfig config)
        : base(config, TrainingNoise.Read(config, BetaSchedule.Read(config), floor: true))
    {
        prediction = config.String("prediction_type", "epsilon") == "original_sample"
            ? PredictionType.Sample // the name in older configs
            : Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        sigmaSpacing = new SigmaSpacing(config);
        logLinear = config.Choice("interpolation_type", "linear", "log_linear") == 1;
        // Continuous timesteps are ln σ / 4 and apply to v-prediction only; for other models the setting has no effect, as in diffusers.
        continuous = !config.IsNull("timestep_type") && config.Choice("timestep_type", "discrete", "continuous") == 1
            && prediction == PredictionType.VPrediction;
        endsAtZero = config.Choice("final_sigmas_type", "zero", "sigma_min") == 0;
    }

    public override string Name => nameof(EulerDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        var (timesteps, sigmas) = request.Sigmas is { } custom ? FromSigmas(CustomSigmas(custom)) : FromTimesteps(request);
        if (continuous) timesteps = [.. timesteps.Select((_, i) => 0.25 * Math.Log(sigmas[i]))];
        return Tables(SigmaTable.Rounded(timesteps), sigmas);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double sigma = tables.Sigmas[index];
        var (sigmaHat, noise) = EulerStep.Churn(request, tables, sigma);
        step.NeedsNoise = sigmaHat > sigma;
        EulerStep.Write(step, Denoised(prediction, sigma, sigmaHat), sigmaHat, tables.Sigmas[index + 1], noise, after: 0);
    }

    private (double[] Timesteps, double[] Sigmas) FromSigmas(double[] sigmas) =>
        ([.. sigmas.SkipLast(1).Select(sigma => SigmaTable.ToTimestep(Training.LogSigmas, sigma))], sigmas);

    private (double[] Timesteps, double[] Sigmas) FromTimesteps(ScheduleRequest request)
    {
        if (request.Timesteps is not null && sigmaSpacing.Kind is { } kind)
            throw Refuse(nameof(ScheduleRequest.Timesteps), $"custom timesteps with {kind}");
        if (request.Timesteps is not null && continuous)
            throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps with timestep_type continuous");
        double[] timesteps = request.Timesteps is { } custom ? CustomTimesteps(custom)
            : Spacing.Timesteps(request.Steps!.Value, whole: false);

        // The log-linear table has one sigma more than there are timesteps, before the final one; diffusers uses its first timesteps.Length
        // + 1.
        double[] sigmas = logLinear
            ? [.. Grid.LinspaceFloat(Training.LogSigmas[^1], Training.LogSigmas[0], timesteps.Length + 1).Select(log => Math.Exp(log))]
            : SigmasAt(timesteps);
        (timesteps, sigmas) = Respaced(sigmaSpacing, timesteps, sigmas);
        return (timesteps, SigmaTable.Rounded(sigmas.Append(endsAtZero ? 0 : Training.Sigmas[0])));
    }
}
