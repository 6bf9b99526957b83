using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the second-order methods that evaluate the model at the begin of a step and at a point inside it; the last step, to σ = 0,
/// is Euler's. Tables hold σ of every step's begin twice, but the first one once, and timesteps of begins and points in turn.
/// </summary>
internal abstract class MidpointScheduler : SigmaScheduler
{
    private readonly SigmaSpacing sigmaSpacing;
    private readonly PredictionType prediction;
    private readonly bool roundsKarras;

    private protected MidpointScheduler(ModelConfig config, SigmaSpacing sigmaSpacing, bool roundsKarras)
        : base(config, TrainingNoise.From(BetaSchedule.Read(config, 0.00085, 0.012)))
    {
        (this.sigmaSpacing, this.roundsKarras) = (sigmaSpacing, roundsKarras);
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
    }

    public override int Order => 2;

    protected internal override int HistorySlots => 1;

    /// <summary>The sample at the begin of the step.</summary>
    private protected static Slot Start => Slot.History(0);

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        double[] visited = Spacing.Timesteps(request.Steps!.Value, whole: false);
        var (timesteps, sigmas) = Respaced(sigmaSpacing, visited, SigmasAt(visited));
        if (roundsKarras && sigmaSpacing.Kind == "use_karras_sigmas") timesteps = [.. timesteps.Select(t => Math.Round(t))];
        sigmas = SigmaTable.Rounded(sigmas);

        var points = new List<double> { timesteps[0] };
        for (int i = 1; i < timesteps.Length; i++)
        {
            points.Add(SigmaTable.ToTimestep(Training.LogSigmas, Inside(sigmas[i - 1], sigmas[i])));
            points.Add(timesteps[i]);
        }

        return Tables(SigmaTable.Rounded(points), Sigmas(sigmas));
    }

    protected internal override double InputScale(ScheduleTables tables, int index)
    {
        double sigma = Level(tables, index);
        return 1 / Math.Sqrt(sigma * sigma + 1);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        if (prediction == PredictionType.Sample) throw PredictionRefused(prediction);
        if ((index - done) % Order != 0)
            throw new DiffusionRequestException("DenoisingStart",
                $"{Name} cannot begin at evaluation {index - done}, in the middle of a step; begin at an even one.");
        double sigma = Level(tables, index);
        var x0 = Denoised(prediction, sigma, sigma);
        step.Denoise(x0);
        int begin = index - index % Order;
        if (index == tables.Timesteps.Length - 1) step.Combine(Slot.Sample, (Slot.Sample, x0.Sample), (Slot.ModelOutput, x0.Output));
        else Write(step, x0, tables.Sigmas[begin], tables.Sigmas[begin + 1], isInside: index % Order == 1);
    }

    /// <summary>The sigmas at the begin of every step, with those of the second evaluations and of the end.</summary>
    private protected virtual double[] Sigmas(double[] begins) =>
        [begins[0], .. begins[1..].SelectMany(sigma => new[] { sigma, sigma }), 0];

    /// <summary>σ of the second evaluation of a step.</summary>
    private protected abstract double Inside(double from, double to);

    /// <summary>Writes the part of a step that follows one of its evaluations.</summary>
    /// <param name="step">The step.</param>
    /// <param name="x0">x0 from that evaluation.</param>
    /// <param name="from">σ at the begin of the step.</param>
    /// <param name="to">σ at its end, above 0.</param>
    /// <param name="isInside">Whether the evaluation is the second one.</param>
    private protected abstract void Write(StepWriter step, Blend x0, double from, double to, bool isInside);

    private double Level(ScheduleTables tables, int index) =>
        index % Order == 0 ? tables.Sigmas[index] : Inside(tables.Sigmas[index - 1], tables.Sigmas[index]);
}
