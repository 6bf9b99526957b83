using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Euler's method for models in EDM's formulation (see <see cref="EDMScheduler"/>), with churn.</summary>
internal sealed class EDMEulerScheduler(ModelConfig config) : EDMScheduler(config)
{
    public static readonly string[] Keys = SharedKeys;

    public override string Name => nameof(EDMEulerScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    protected override ScheduleTables MakeTables(ScheduleRequest request) => Tables(request, endsAtZero: true);

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        var (sigmaHat, noise) = EulerStep.Churn(request, tables, tables.Sigmas[index]);
        step.NeedsNoise = sigmaHat > tables.Sigmas[index];
        EulerStep.Write(step, Denoised(sigmaHat), sigmaHat, tables.Sigmas[index + 1], noise, after: 0);
    }
}
