using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// SA-Solver, multistep of first to fourth order, as an SDE in the middle of the run and an ODE at its ends: an evaluation first corrects
/// the step that led to it, then predicts the next one; the formulas are in <see cref="SASolver"/>.
/// </summary>
internal sealed class SASolverScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
    [
        .. DPMSigmas.KeysOf(Settings), .. ClippingConfig.ThresholdKeys,
        "predictor_order", "corrector_order", "prediction_type", "tau_func", "algorithm_type", "lower_order_final", "variance_type",
    ];

    private const DPMSettings Settings = DPMSettings.Spacing | DPMSettings.ClippedLambda | DPMSettings.RepeatsLast;
    private const int MostOrder = 4;

    private readonly PredictionType prediction;
    private readonly SASolver solver;
    private readonly bool predictsData;
    private readonly int predictorOrder, correctorOrder;
    private readonly bool lowerOrderFinal;

    public SASolverScheduler(ModelConfig config) : base(config, Settings)
    {
        predictsData = config.Choice("algorithm_type", "data_prediction", "noise_prediction") == 0;
        prediction = ReadPrediction(config, predictsData);
        solver = new SASolver(predictsData);
        predictorOrder = config.IntWithin("predictor_order", 1, MostOrder, 2);
        correctorOrder = config.IntWithin("corrector_order", 1, MostOrder, 2);
        lowerOrderFinal = config.Bool("lower_order_final", true);
        if (config.Has("tau_func")) throw config.Wrong("tau_func", "null: τ is 1 from timestep 200 to 800, else 0");
        if (config.Has("variance_type")) _ = config.String("variance_type"); // without effect, as for DPMSolverMultistep
    }

    public override string Name => nameof(SASolverScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => Ring + 1;

    private int Ring => Math.Max(predictorOrder, correctorOrder);

    /// <summary>The corrected sample, without the output that is not known yet.</summary>
    private Slot Corrected => Slot.History(Ring);

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index)
    {
        if (Levels.IsFlow) return base.SignalAndNoise(tables, index);
        double alpha = Training.AlphaCumprod(tables.Timesteps[index]); // diffusers takes the timestep's, not that of σ
        return (Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
    }

    protected override ScheduleTables MakeTables(ScheduleRequest request) => TablesOfSteps(request);

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        int left = tables.Timesteps.Length - index;
        step.NeedsNoise = true;
        WriteOutput(step, Output(0), prediction, predictsData, tables.Sigmas[index]);
        if (done > 0) step.Combine(Slot.Sample, (Corrected, 1), (Output(0), Correction(tables, index - 1, done - 1).Outputs[0]));

        // The next correction begins at this sample and adds this step's noise, so all of it but the next output is summed up now.
        if (left > 1)
        {
            var correction = Correction(tables, index, done);
            step.Combine(Corrected,
            [
                (Slot.Sample, correction.Sample), (Slot.Noise, correction.Noise),
                .. correction.Outputs[1..].Select((factor, back) => (Output(back), factor)),
            ]);
        }

        int order = Math.Min(lowerOrderFinal ? Math.Min(predictorOrder, left) : predictorOrder, done + 1);
        var present = Point(tables.Sigmas[index]);
        var update = solver.Predict(Tau(tables, index), Point(tables.Sigmas[index + 1]), present,
            [present, .. Before(tables, index, order - 1)]);
        step.Combine(Slot.Sample,
        [
            (Slot.Sample, update.Sample), (Slot.Noise, update.Noise), .. update.Outputs.Select((factor, back) => (Output(back), factor)),
        ]);

        Slot Output(int back) => Slot.History((done - back) % Ring);
    }

    /// <summary>The correction of the step that begins at an evaluation; its first output is that of the next one.</summary>
    private DPMUpdate Correction(ScheduleTables tables, int index, int done)
    {
        int left = tables.Timesteps.Length - index;
        int order = Math.Min(lowerOrderFinal ? Math.Min(correctorOrder, left + 1) : correctorOrder, done + 2);
        DPMPoint present = Point(tables.Sigmas[index]), next = Point(tables.Sigmas[index + 1]);
        DPMPoint[] nodes = order == 1 ? [next] : [next, present, .. Before(tables, index, order - 2)];
        return solver.Correct(Tau(tables, index), next, present, nodes);
    }

    /// <summary>τ of the step that begins at an evaluation, as diffusers has it by default.</summary>
    private static double Tau(ScheduleTables tables, int index) => tables.Timesteps[index] is >= 200 and <= 800 ? 1 : 0;
}
