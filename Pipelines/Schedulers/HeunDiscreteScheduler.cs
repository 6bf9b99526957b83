using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Heun's method in σ, without noise: Karras et al., 2022 (arXiv:2206.00364), algorithm 1. A step evaluates the model at both of its ends
/// and takes the mean of the slopes; the last step, which ends at σ = 0, is Euler's. The tables therefore repeat every timestep but the
/// first.
/// </summary>
internal sealed class HeunDiscreteScheduler : SigmaScheduler
{
    public static readonly string[] Keys =
        [.. BetaSchedule.Keys, .. TimestepSpacing.Keys, .. SigmaSpacing.Keys, .. ClippingConfig.ClipKeys, "prediction_type"];

    private static readonly Slot Halfway = Slot.History(0); // the start of the step plus half of its first slope

    private readonly PredictionType prediction;
    private readonly SigmaSpacing sigmaSpacing;
    private readonly ClippingConfig clipping;

    public HeunDiscreteScheduler(ModelConfig config) : base(config, TrainingNoise.From(BetaSchedule.Read(config, 0.00085, 0.012)))
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        sigmaSpacing = new SigmaSpacing(config);
        clipping = new ClippingConfig(config, clipByDefault: false, thresholds: false);
    }

    public override string Name => nameof(HeunDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    public override int Order => 2;

    protected internal override int HistorySlots => 1;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        if (request.Timesteps is not null && sigmaSpacing.Kind is { } kind)
            throw Refuse(nameof(ScheduleRequest.Timesteps), $"custom timesteps with {kind}");
        double[] visited = request.Timesteps is { } custom ? CustomTimesteps(custom)
            : Spacing.Timesteps(request.Steps!.Value, whole: false);
        var (timesteps, sigmas) = Respaced(sigmaSpacing, visited, SigmasAt(visited));
        return Tables(SigmaTable.Rounded(Repeated(timesteps)), SigmaTable.Rounded(Repeated(sigmas).Append(0)));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        if ((index - done) % Order != 0)
            throw new DiffusionRequestException("DenoisingStart",
                $"{Name} cannot begin at evaluation {index - done}, in the middle of a step; begin at an even one.");
        double sigma = tables.Sigmas[index];
        var x0 = Denoised(prediction, sigma, sigma);
        step.Denoise(x0);
        // the slope dx/dσ = (x − x0)/σ = ofSample·x + ofModel·model
        var (ofSample, model, ofModel) = step.ClipDenoised(clipping) ? (1 / sigma, Slot.Denoised, -1 / sigma)
            : ((1 - x0.Sample) / sigma, Slot.ModelOutput, -x0.Output / sigma);
        if (index % Order == 0)
        {
            double length = tables.Sigmas[index + 1] - sigma;
            if (index < tables.Timesteps.Length - 1) // the last step has no second half
                step.Combine(Halfway, (Slot.Sample, 1 + ofSample * length / 2), (model, ofModel * length / 2));
            step.Combine(Slot.Sample, (Slot.Sample, 1 + ofSample * length), (model, ofModel * length));
        }
        else
        {
            double length = sigma - tables.Sigmas[index - 1];
            step.Combine(Slot.Sample, (Halfway, 1), (Slot.Sample, ofSample * length / 2), (model, ofModel * length / 2));
        }
    }

    /// <summary>Every value twice, but the first one once.</summary>
    private static IEnumerable<double> Repeated(double[] values) => values.SelectMany((v, i) => Enumerable.Repeat(v, i == 0 ? 1 : 2));
}
