using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DEIS of first to third order, multistep: Zhang and Chen, 2022 (arXiv:2204.13902), log-ρ variant. With ρ = σ/α, x/α changes by
/// ∫ ε dρ, and ε is the polynomial in ln ρ through the last values.
/// </summary>
internal sealed class DEISMultistepScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
    [
        .. DPMSigmas.KeysOf(Settings), .. ClippingConfig.ThresholdKeys,
        "algorithm_type", "solver_order", "solver_type", "lower_order_final", "prediction_type",
    ];

    private const DPMSettings Settings = DPMSettings.Spacing | DPMSettings.RepeatsLast;
    private const int FewSteps = 15; // below this, lower_order_final lowers the order of the last two steps

    private readonly PredictionType prediction;
    private readonly int solverOrder;
    private readonly bool lowerOrderFinal;

    public DEISMultistepScheduler(ModelConfig config) : base(config, Settings)
    {
        // the values of other solvers mean deis and logrho, as in diffusers
        config.Choice("algorithm_type", "deis", "dpmsolver", "dpmsolver++");
        config.Choice("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
        prediction = ReadPrediction(config, predictsData: true);
        solverOrder = config.IntWithin("solver_order", 1, 3, 2);
        lowerOrderFinal = config.Bool("lower_order_final", true);
    }

    public override string Name => nameof(DEISMultistepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => solverOrder;

    protected override ScheduleTables MakeTables(ScheduleRequest request) => TablesOfSteps(request);

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        int end = lowerOrderFinal && tables.Timesteps.Length < FewSteps ? tables.Timesteps.Length - index : solverOrder;
        int order = Math.Min(Math.Min(solverOrder, done + 1), end);
        WriteOutput(step, Output(0), prediction, predictsData: false, tables.Sigmas[index]);

        var (present, next) = (Point(tables.Sigmas[index]), Point(tables.Sigmas[index + 1]));
        double[] nodes = [-present.Lambda, .. Before(tables, index, order - 1).Select(p => -p.Lambda)]; // ln ρ
        double[] moments = [.. Enumerable.Range(0, order).Select(k => Moment(k, next) - Moment(k, present))];
        step.Combine(Slot.Sample,
        [
            (Slot.Sample, next.Alpha / present.Alpha),
            .. nodes.Select((_, back) => (Output(back), next.Alpha * Lagrange.Integral(nodes, back, moments))),
        ]);

        Slot Output(int back) => Slot.History((done - back) % solverOrder);
    }

    /// <summary>The antiderivative of (ln ρ)ᵏ: ρ, ρ·(ln ρ − 1), ρ·(ln² ρ − 2 ln ρ + 2).</summary>
    private static double Moment(int k, DPMPoint point)
    {
        double rho = point.Sigma / point.Alpha, log = Math.Log(rho);
        return rho * (k switch { 0 => 1, 1 => log - 1, _ => log * (log - 2) + 2 });
    }
}
