using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver-2 in σ that steps below the target level and adds noise to return to it (k-diffusion's sample_dpm_2_ancestral).
/// </summary>
internal sealed class KDPM2AncestralDiscreteScheduler(ModelConfig config)
    : MidpointScheduler(config, new SigmaSpacing(config), roundsKarras: true)
{
    public static readonly string[] Keys = KDPM2DiscreteScheduler.Keys;

    public override string Name => nameof(KDPM2AncestralDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    private protected override double[] Sigmas(double[] begins) => [.. base.Sigmas(begins), 0, 0]; // diffusers repeats the end

    private protected override double Inside(double from, double to) =>
        SigmaTable.Between((float)from, (float)AncestralStep.Split((float)from, (float)to).Down);

    private protected override void Write(StepWriter step, Blend x0, double from, double to, bool isInside)
    {
        var (up, down) = AncestralStep.Split((float)from, (float)to);
        double inside = Inside(from, to);
        step.NeedsNoise = isInside;
        if (!isInside) step.Combine(Start, (Slot.Sample, 1));
        EulerStep.WriteSlope(step, Start, x0, isInside ? inside : from, (isInside ? down : inside) - from, isInside ? up : 0);
    }
}
