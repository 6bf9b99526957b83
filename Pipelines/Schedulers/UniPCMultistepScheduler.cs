using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// UniPC of first to third order, multistep: an evaluation first corrects the step that led to it, then predicts the next one; the formulas
/// are in <see cref="UniPC"/>.
/// </summary>
internal sealed class UniPCMultistepScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
    [
        .. DPMSigmas.KeysOf(Settings), .. ClippingConfig.ThresholdKeys,
        "solver_order", "prediction_type", "predict_x0", "solver_type", "lower_order_final", "disable_corrector", "solver_p",
    ];

    private const DPMSettings Settings =
        DPMSettings.Spacing | DPMSettings.FinalSigma | DPMSettings.RepeatsLast | DPMSettings.ZeroSnr;

    private readonly PredictionType prediction;
    private readonly UniPC solver;
    private readonly int solverOrder;
    private readonly bool predictsData;
    private readonly bool lowerOrderFinal;
    private readonly int[] uncorrected;

    public UniPCMultistepScheduler(ModelConfig config) : base(config, Settings)
    {
        predictsData = config.Bool("predict_x0", true);
        prediction = ReadPrediction(config, predictsData);
        // the last three mean bh2, as in diffusers
        solver = new UniPC(predictsData, bh1: config.Choice("solver_type", "bh2", "bh1", "midpoint", "heun", "logrho") == 1);
        solverOrder = config.IntWithin("solver_order", 1, 3, 2);
        lowerOrderFinal = config.Bool("lower_order_final", true);
        uncorrected = config.Ints("disable_corrector", []);
        if (config.Has("solver_p")) throw config.Wrong("solver_p", "null: another scheduler as the predictor is not supported");
        if (!Levels.EndsAtZero) return;
        if (!predictsData) throw config.Wrong("predict_x0", "true when final_sigmas_type is zero: the factor of ε would not be finite");
        if (solverOrder > 1 && !lowerOrderFinal)
            throw config.Wrong("lower_order_final", "true when final_sigmas_type is zero: the last step is of first order");
    }

    public override string Name => nameof(UniPCMultistepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => Ring + 1;

    /// <summary>The corrector needs one output more than the order.</summary>
    private int Ring => solverOrder + 1;

    protected override ScheduleTables MakeTables(ScheduleRequest request) => TablesOfSteps(request);

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        var point = Point(tables.Sigmas[index]);
        int count = tables.Timesteps.Length;
        Slot begin = Slot.History(Ring); // the sample from which the present step begins, corrected

        var x0 = Denoised(prediction, point, tables.Sigmas[index]);
        step.Denoise(x0);
        var output = predictsData ? x0 : Prediction.Noise(prediction, point.Alpha, point.Sigma);
        if (predictsData && step.ClipDenoised(Clipping)) step.Combine(Output(0), (Slot.Denoised, 1));
        else step.Combine(Output(0), (Slot.Sample, output.Sample), (Slot.ModelOutput, output.Output));

        bool corrects = done > 0 && !uncorrected.Contains(index - 1);
        if (corrects)
        {
            var before = Before(tables, index - 1, StepOrder(count, index - 1, done - 1) - 1);
            Write(begin, begin, solver.Correct(point, Point(tables.Sigmas[index - 1]), before));
        }
        else if (index < count - 1) step.Combine(begin, (Slot.Sample, 1));

        Write(Slot.Sample, corrects ? begin : Slot.Sample,
            solver.Predict(Point(tables.Sigmas[index + 1]), point, Before(tables, index, StepOrder(count, index, done) - 1)));

        Slot Output(int back) => Slot.History((done - back) % Ring);

        void Write(Slot target, Slot source, (double Sample, double[] Outputs) update) =>
            step.Combine(target, [(source, update.Sample), .. update.Outputs.Select((factor, back) => (Output(back), factor))]);
    }

    /// <summary>The order of a step: as high as the history allows, lower at the end (lower_order_final).</summary>
    private int StepOrder(int count, int index, int done) =>
        Math.Min(Math.Min(solverOrder, done + 1), lowerOrderFinal ? count - index : solverOrder);
}
