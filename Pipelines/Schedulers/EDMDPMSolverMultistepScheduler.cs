using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>DPM-Solver++ of first to third order for models in EDM's formulation (see <see cref="EDMScheduler"/>).</summary>
internal sealed class EDMDPMSolverMultistepScheduler : EDMScheduler
{
    public static readonly string[] Keys =
        [.. SharedKeys, .. ClippingConfig.ThresholdKeys, .. DPMMultistep.Keys, "final_sigmas_type"];

    private readonly ClippingConfig clipping;
    private readonly bool endsAtZero;
    private readonly DPMMultistep solver;

    public EDMDPMSolverMultistepScheduler(ModelConfig config) : base(config)
    {
        clipping = new ClippingConfig(config);
        endsAtZero = config.Choice("final_sigmas_type", "zero", "sigma_min") == 0;
        // diffusers treats configs of DEIS as dpmsolver++, and has no third order with noise
        bool noisy = config.Choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "deis") == 1;
        solver = new DPMMultistep(config, noisy ? DPMAlgorithm.DataWithNoise : DPMAlgorithm.Data, noisy ? 2 : 3, endsAtZero);
    }

    public override string Name => nameof(EDMDPMSolverMultistepScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => solver.Order;

    protected override ScheduleTables MakeTables(ScheduleRequest request) => Tables(request, endsAtZero);

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        var x0 = Denoised(tables.Sigmas[index]);
        step.Denoise(x0);
        if (step.ClipDenoised(clipping)) step.Combine(solver.Output(done), (Slot.Denoised, 1));
        else step.Combine(solver.Output(done), (Slot.Sample, x0.Sample), (Slot.ModelOutput, x0.Output));
        solver.Write(step, [.. tables.Sigmas.Select(sigma => new DPMPoint(1, sigma))], index, done);
    }
}
