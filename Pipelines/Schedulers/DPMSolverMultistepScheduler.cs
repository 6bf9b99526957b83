using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver and DPM-Solver++ of first to third order, multistep, as ODE or SDE.
/// </summary>
internal sealed class DPMSolverMultistepScheduler : LambdaScheduler
{
    public static readonly string[] Keys =
        [.. DPMSigmas.KeysOf(Settings), .. ClippingConfig.ThresholdKeys, .. DPMMultistep.Keys, "prediction_type", "variance_type"];

    private const DPMSettings Settings = DPMSettings.Spacing | DPMSettings.EvenLambdas | DPMSettings.ClippedLambda
        | DPMSettings.FinalSigma | DPMSettings.ZeroSnr;

    private readonly PredictionType prediction;
    private readonly bool predictsData;
    private readonly DPMMultistep solver;

    public DPMSolverMultistepScheduler(ModelConfig config) : base(config, Settings)
    {
        var algorithm = config.Choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis") switch
        {
            4 => DPMAlgorithm.Data, // as diffusers treats configs of DEIS
            int choice => (DPMAlgorithm)choice,
        };
        predictsData = algorithm is DPMAlgorithm.Data or DPMAlgorithm.DataWithNoise;
        solver = new DPMMultistep(config, algorithm, algorithm == DPMAlgorithm.NoiseWithNoise ? 2 : 3, Levels.EndsAtZero);
        prediction = ReadPrediction(config, predictsData);
        if (config.Bool("use_dynamic_shifting", false))
            throw config.Wrong("use_dynamic_shifting", "false: shifting by the image's size is not supported");
        // without effect: a UNet that also predicts a variance is refused by its channels
        if (config.Has("variance_type")) _ = config.String("variance_type");
        if (!predictsData && Levels.EndsAtZero)
            throw new ModelFileException(config.File,
                "'final_sigmas_type' is zero; with algorithm_type dpmsolver or sde-dpmsolver it must be sigma_min.");
    }

    public override string Name => nameof(DPMSolverMultistepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => solver.Order;

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
        WriteOutput(step, solver.Output(done), prediction, predictsData, tables.Sigmas[index]);
        solver.Write(step, [.. tables.Sigmas.Select(Point)], index, done);
    }
}
