using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The improved pseudo linear multistep method of fourth order, from Crowson's v-diffusion: after Liu et al., 2022 (arXiv:2202.09778). It
/// is for models that predict v and whose timesteps go from 1 to 0: latents are α·x0 + β·ε with α² + β² = 1, and β, which
/// <see cref="Schedule.Sigmas"/> holds, is sin²(π/2·time).
/// </summary>
internal sealed class IPNDMScheduler : Scheduler
{
    public static readonly string[] Keys = ["num_train_timesteps", "trained_betas"];

    private const int Kept = 4;
    private static readonly double[][] AdamsBashforth =
        [[1], [3 / 2.0, -1 / 2.0], [23 / 12.0, -16 / 12.0, 5 / 12.0], [55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0]];

    private readonly double[]? trainedBetas;

    public IPNDMScheduler(ModelConfig config) : base(config)
    {
        TrainTimesteps = BetaSchedule.Count(config);
        if (!config.Has("trained_betas")) return;
        trainedBetas = SigmaTable.Rounded(config.Doubles("trained_betas"));
        bool falls = Enumerable.Range(1, Math.Max(trainedBetas.Length - 1, 0)).All(i => trainedBetas[i] < trainedBetas[i - 1]);
        if (trainedBetas.Length < 2 || !falls || trainedBetas[0] > 1 || trainedBetas[^1] < 0)
            throw config.Wrong("trained_betas", "at least two falling numbers between 1 and 0, one more than the steps of a run");
    }

    public override string Name => nameof(IPNDMScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    public override int TrainTimesteps { get; }

    protected internal override int HistorySlots => Kept;

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index) =>
        (Alpha(tables.Sigmas[index]), tables.Sigmas[index]);

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        int steps = request.Steps!.Value;
        if (trainedBetas is not null && trainedBetas.Length != steps + 1)
            throw new DiffusionRequestException(nameof(request.Steps),
                $"{Name}: steps is {steps}; with trained_betas it must be {trainedBetas.Length - 1}, one less than there are.");
        double[] betas = trainedBetas ?? [.. Grid.LinspaceFloat(1, 0, steps + 1).Select(Beta)];
        return new([.. betas[..^1].Select(beta => (double)(float)(Math.Atan2(beta, Alpha(beta)) / Math.PI * 2))], betas, 1);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double beta = tables.Sigmas[index], alpha = Alpha(beta), nextBeta = tables.Sigmas[index + 1], nextAlpha = Alpha(nextBeta);
        double scale = nextAlpha / Math.Max(alpha, 1e-8), ofEpsilon = nextBeta - scale * beta; // of x and ε in the next sample
        step.Denoise(new Blend(alpha, -beta));
        step.Combine(Output(0), (Slot.Sample, beta), (Slot.ModelOutput, alpha)); // ε

        // Multiplied out in the first step, where α may be 0 and the factors of x and ε infinite.
        if (done == 0)
            step.Combine(Slot.Sample,
                (Slot.Sample, scale * (1 - beta * beta) + nextBeta * beta), (Slot.ModelOutput, ofEpsilon * alpha));
        else
            step.Combine(Slot.Sample,
            [
                (Slot.Sample, scale),
                .. AdamsBashforth[Math.Min(done, Kept - 1)].Select((weight, back) => (Output(back), ofEpsilon * weight)),
            ]);

        Slot Output(int back) => Slot.History((done - back) % Kept);
    }

    private static double Beta(float time)
    {
        float sine = (float)Math.Sin(time * (float)(Math.PI / 2));
        return sine * sine;
    }

    private static double Alpha(double beta) => Math.Sqrt(1 - beta * beta);
}
