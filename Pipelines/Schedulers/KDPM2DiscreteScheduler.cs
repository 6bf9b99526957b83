using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver-2 in σ (k-diffusion's sample_dpm_2): the slope at the geometric mean of both noise levels, over the whole step; after Karras
/// et al., 2022 (arXiv:2206.00364), algorithm 2.
/// </summary>
internal sealed class KDPM2DiscreteScheduler(ModelConfig config)
    : MidpointScheduler(config, new SigmaSpacing(config), roundsKarras: true)
{
    public static readonly string[] Keys = [.. BetaSchedule.Keys, .. TimestepSpacing.Keys, .. SigmaSpacing.Keys, "prediction_type"];

    public override string Name => nameof(KDPM2DiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    private protected override double[] Sigmas(double[] begins) => [.. base.Sigmas(begins), 0, 0]; // diffusers repeats the end

    private protected override double Inside(double from, double to) => SigmaTable.Between((float)to, (float)from);

    private protected override void Write(StepWriter step, Blend x0, double from, double to, bool isInside)
    {
        double inside = Inside(from, to);
        if (!isInside) step.Combine(Start, (Slot.Sample, 1));
        EulerStep.WriteSlope(step, Start, x0, isInside ? inside : from, (isInside ? to : inside) - from, noise: 0);
    }
}
