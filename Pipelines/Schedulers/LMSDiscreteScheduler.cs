using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Linear multistep method in σ (k-diffusion's sample_lms): the slope is the polynomial through the last slopes, up to four, integrated
/// over the step.
/// </summary>
internal sealed class LMSDiscreteScheduler : SigmaScheduler
{
    public static readonly string[] Keys = [.. BetaSchedule.Keys, .. TimestepSpacing.Keys, .. SigmaSpacing.Keys, "prediction_type"];

    private const int MostSlopes = 4;

    private readonly PredictionType prediction;
    private readonly SigmaSpacing sigmaSpacing;

    public LMSDiscreteScheduler(ModelConfig config) : base(config, TrainingNoise.From(BetaSchedule.Read(config)))
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        sigmaSpacing = new SigmaSpacing(config, karrasHasBounds: false);
    }

    public override string Name => nameof(LMSDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => MostSlopes;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        double[] visited = Spacing.Timesteps(request.Steps!.Value, whole: false);
        var (timesteps, sigmas) = Respaced(sigmaSpacing, visited, SigmasAt(visited));
        return Tables(SigmaTable.Rounded(timesteps), SigmaTable.Rounded(sigmas.Append(0)));
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double sigma = tables.Sigmas[index];
        var x0 = Denoised(prediction, sigma, sigma);
        step.Denoise(x0);
        // the slope dx/dσ = (x − x0)/σ replaces the oldest one
        step.Combine(Slope(0), (Slot.Sample, (1 - x0.Sample) / sigma), (Slot.ModelOutput, -x0.Output / sigma));

        // diffusers takes the polynomial's order from the evaluation's number. A run that begins in the middle has fewer slopes at first:
        // the weights of the missing ones are left out.
        int order = Math.Min(index + 1, MostSlopes);
        var terms = new (Slot, double)[Math.Min(order, done + 1) + 1];
        terms[0] = (Slot.Sample, 1);
        for (int back = 0; back < terms.Length - 1; back++)
        {
            double weight = Weight(tables.Sigmas.AsSpan(index + 1 - order, order), order - 1 - back, tables.Sigmas[index + 1]);
            terms[back + 1] = (Slope(back), weight);
        }

        step.Combine(Slot.Sample, terms);

        Slot Slope(int back) => Slot.History((done - back) % MostSlopes);
    }

    /// <summary>
    /// The integral, from the last node to <paramref name="end"/>, of the Lagrange polynomial that is 1 at <paramref name="node"/> and 0 at
    /// the others. Gauss' rule with two points is exact to degree 3, for up to four nodes.
    /// </summary>
    private static double Weight(ReadOnlySpan<double> nodes, int node, double end)
    {
        double half = (end - nodes[^1]) / 2, middle = nodes[^1] + half, offset = half / Math.Sqrt(3);
        return half * (Lagrange.Value(nodes, node, middle - offset) + Lagrange.Value(nodes, node, middle + offset));
    }
}
