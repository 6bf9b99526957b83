using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver and DPM-Solver++ of first to third order, singlestep, as ODE or SDE: Lu et al., 2022 (arXiv:2206.00927, arXiv:2211.01095).
/// The evaluations form groups, whose orders rise from 1 to solver_order; each begins at the sample of its group's first evaluation.
/// </summary>
internal sealed class DPMSolverSinglestepScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
    [
        .. DPMSigmas.KeysOf(Settings), .. ClippingConfig.ThresholdKeys,
        "algorithm_type", "solver_order", "solver_type", "lower_order_final", "prediction_type", "variance_type",
    ];

    private const DPMSettings Settings = DPMSettings.ClippedLambda | DPMSettings.FinalSigma;

    private readonly PredictionType prediction;
    private readonly DPMAlgorithm algorithm;
    private readonly bool predictsData;
    private readonly bool heun;
    private readonly int solverOrder;
    private readonly bool lowerOrderFinal;

    public DPMSolverSinglestepScheduler(ModelConfig config) : base(config, Settings)
    {
        algorithm = config.Choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "deis") switch
        {
            3 => DPMAlgorithm.Data, // as diffusers treats configs of DEIS
            int choice => (DPMAlgorithm)choice,
        };
        predictsData = algorithm != DPMAlgorithm.Noise;
        prediction = ReadPrediction(config, predictsData);
        heun = DPMSolver.IsHeun(config);
        solverOrder = config.IntWithin("solver_order", 1, 3, 2);
        lowerOrderFinal = config.Bool("lower_order_final", false);
        if (config.Has("variance_type")) _ = config.String("variance_type"); // without effect, as for DPMSolverMultistep
        if (!predictsData && Levels.EndsAtZero)
            throw new ModelFileException(config.File, "'final_sigmas_type' is zero; with algorithm_type dpmsolver it must be sigma_min.");
    }

    public override string Name => nameof(DPMSolverSinglestepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => solverOrder + 1;

    private Slot Start => Slot.History(solverOrder); // the sample at the group's first evaluation

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
        int count = tables.Timesteps.Length, order = Math.Min(OrderOf(index, count), done + 1), first = index - order + 1;
        WriteOutput(step, Output(0), prediction, predictsData, tables.Sigmas[index]);
        if (order == 1 && index + 1 < count && OrderOf(index + 1, count) > 1) step.Combine(Start, (Slot.Sample, 1));

        var later = Enumerable.Range(first + 1, order - 1).Select(i => Point(tables.Sigmas[i])).ToArray();
        var update = DPMSolver.Singlestep(algorithm, heun, Point(tables.Sigmas[index + 1]), Point(tables.Sigmas[first]), later);
        step.NeedsNoise = algorithm == DPMAlgorithm.DataWithNoise;
        step.Combine(Slot.Sample,
        [
            (order == 1 ? Slot.Sample : Start, update.Sample), (Slot.Noise, update.Noise),
            .. update.Outputs.Select((factor, i) => (Output(order - 1 - i), factor)),
        ]);

        Slot Output(int back) => Slot.History((done - back) % solverOrder);
    }

    /// <summary>The order of an evaluation: 1 … solver_order in turn, and 1 at the end (lower_order_final).</summary>
    private int OrderOf(int index, int count)
    {
        int order = index % solverOrder + 1;
        return index == count - 1 && (Levels.EndsAtZero || (lowerOrderFinal && order == solverOrder)) ? 1 : order;
    }
}
