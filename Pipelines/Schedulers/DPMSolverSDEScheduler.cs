using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver++ as an SDE, of second order with two evaluations per step (k-diffusion's sample_dpmpp_sde). The noise of both parts of a
/// step belongs to one Brownian path over σ: the part up to the second evaluation is contained in that of the whole step.
/// </summary>
/// <remarks>
/// diffusers draws the path by torchsde from a seed of its own, which is random unless noise_sampler_seed sets it; here it comes from the
/// run's generator, so that a seed gives the same image.
/// </remarks>
internal sealed class DPMSolverSDEScheduler : MidpointScheduler
{
    public static readonly string[] Keys =
        [.. BetaSchedule.Keys, .. TimestepSpacing.Keys, .. SigmaSpacing.Keys, "prediction_type", "noise_sampler_seed"];

    private static readonly Slot FirstNoise = Slot.History(1);

    public DPMSolverSDEScheduler(ModelConfig config) : base(config, new SigmaSpacing(config, karrasHasBounds: false), roundsKarras: false)
    {
        if (config.Has("noise_sampler_seed"))
            throw config.Wrong("noise_sampler_seed", "null: the noise is drawn from the request's seed");
    }

    public override string Name => nameof(DPMSolverSDEScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 2;

    private protected override double Inside(double from, double to) => Math.Sqrt(from * to);

    private protected override void Write(StepWriter step, Blend x0, double from, double to, bool isInside)
    {
        double inside = Inside(from, to);
        // The part goes down to target²/from and adds noise up to its target.
        double target = isInside ? to : inside, ratio = target / from, scale = ratio * ratio;
        double up = target * Math.Sqrt(1 - scale);
        step.NeedsNoise = true;
        if (!isInside)
        {
            step.Combine(Start, (Slot.Sample, 1));
            step.Combine(FirstNoise, (Slot.Noise, 1));
        }

        // W(to) − W(from) = (W(inside) − W(from)) + (W(to) − W(inside)), whose variances are the differences of σ
        double first = isInside ? Math.Sqrt((from - inside) / (from - to)) : 0;
        double second = isInside ? Math.Sqrt((inside - to) / (from - to)) : 1;
        step.Combine(Slot.Sample,
            (Start, isInside ? scale : 0),
            (Slot.Sample, (isInside ? 0 : scale) + (1 - scale) * x0.Sample),
            (Slot.ModelOutput, (1 - scale) * x0.Output),
            (FirstNoise, up * first),
            (Slot.Noise, up * second));
    }
}
