using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver and DPM-Solver++ of first to third order, multistep, as ODE or SDE; the formulas are in <see cref="DPMSolver"/>.
/// </summary>
internal sealed class DPMSolverMultistepScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
    [
        .. BetaSchedule.Keys, "rescale_betas_zero_snr", .. DPMSigmas.Keys, .. ClippingConfig.ThresholdKeys,
        "solver_order", "prediction_type", "algorithm_type", "solver_type", "lower_order_final", "euler_at_final", "variance_type",
    ];

    private const int FewSteps = 15; // below this, lower_order_final lowers the order of the last two steps
    private readonly PredictionType prediction;
    private readonly DPMAlgorithm algorithm;
    private readonly int solverOrder;
    private readonly bool heun;
    private readonly bool lowerOrderFinal;
    private readonly bool eulerAtFinal;

    public DPMSolverMultistepScheduler(ModelConfig config) : base(config, forUniPC: false)
    {
        algorithm = config.Choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis") switch
        {
            4 => DPMAlgorithm.Data, // as diffusers treats configs of DEIS
            int choice => (DPMAlgorithm)choice,
        };
        // the last three mean midpoint, as in diffusers
        heun = config.Choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2") == 1;
        prediction = ReadPrediction(config, PredictsData);
        solverOrder = config.Int("solver_order", 2);
        int most = algorithm == DPMAlgorithm.NoiseWithNoise ? 2 : 3;
        if (solverOrder < 1 || solverOrder > most) throw config.Wrong("solver_order", $"between 1 and {most} for this algorithm_type");
        lowerOrderFinal = config.Bool("lower_order_final", true);
        eulerAtFinal = config.Bool("euler_at_final", false);
        if (config.Bool("use_dynamic_shifting", false))
            throw config.Wrong("use_dynamic_shifting", "false: shifting by the image's size is not supported");
        // without effect: a UNet that also predicts a variance is refused by its channels
        if (config.Has("variance_type")) _ = config.String("variance_type");
        if (!PredictsData && Levels.EndsAtZero)
            throw new ModelFileException(config.File,
                "'final_sigmas_type' is zero; with algorithm_type dpmsolver or sde-dpmsolver it must be sigma_min.");
    }

    public override string Name => nameof(DPMSolverMultistepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => solverOrder == 1 ? 0 : solverOrder;

    private bool PredictsData => algorithm is DPMAlgorithm.Data or DPMAlgorithm.DataWithNoise;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        var (timesteps, levels) = request.Timesteps is { } custom
            ? Levels.Tables(CustomTimesteps(custom), this)
            : Levels.Tables(request.Steps!.Value);
        return new(timesteps, levels, 1);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double sigma = tables.Sigmas[index];
        var point = Point(sigma);
        var before = Before(tables, index, StepOrder(tables.Timesteps.Length, index, done) - 1);
        var update = DPMSolver.Update(algorithm, heun, Point(tables.Sigmas[index + 1]), point, before);
        step.NeedsNoise = algorithm is DPMAlgorithm.DataWithNoise or DPMAlgorithm.NoiseWithNoise;

        var x0 = Denoised(prediction, point, sigma);
        step.Denoise(x0);
        bool clipped = step.ClipDenoised(Clipping);
        var output = PredictsData ? x0 : Prediction.Noise(prediction, point.Alpha, point.Sigma);
        if (solverOrder == 1 && !clipped)
        {
            double factor = update.Outputs[0];
            step.Combine(Slot.Sample,
                (Slot.Sample, update.Sample + factor * output.Sample), (Slot.ModelOutput, factor * output.Output),
                    (Slot.Noise, update.Noise));
            return;
        }

        // The current x0 or ε replaces the oldest one in the ring of states. Order 1 has no ring: the clipped x0 stays in Denoised.
        var present = solverOrder == 1 ? Slot.Denoised : Slot.History(done % solverOrder);
        if (!clipped) step.Combine(present, (Slot.Sample, output.Sample), (Slot.ModelOutput, output.Output));
        else if (!PredictsData) step.Combine(present, (Slot.Sample, 1 / point.Sigma), (Slot.Denoised, -point.Alpha / point.Sigma));
        else if (solverOrder > 1) step.Combine(present, (Slot.Denoised, 1));

        var terms = new (Slot, double)[update.Outputs.Length + 2];
        terms[0] = (Slot.Sample, update.Sample);
        terms[1] = (Slot.Noise, update.Noise);
        for (int back = 0; back < update.Outputs.Length; back++)
            terms[back + 2] = (back == 0 ? present : Slot.History((done - back) % solverOrder), update.Outputs[back]);
        step.Combine(Slot.Sample, terms);
    }

    /// <summary>The order of a step: as high as the history allows, lower at the end, where λ diverges.</summary>
    private int StepOrder(int count, int index, int done)
    {
        bool few = lowerOrderFinal && count < FewSteps;
        int end = index == count - 1 && (eulerAtFinal || few || Levels.EndsAtZero) ? 1 : index == count - 2 && few ? 2 : 3;
        return Math.Min(Math.Min(solverOrder, done + 1), end);
    }
}
