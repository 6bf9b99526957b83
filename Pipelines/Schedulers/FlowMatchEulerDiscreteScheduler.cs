using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Euler's method for rectified flow, with the shifts of Stable Diffusion 3 and Flux (see <see cref="FlowScheduler"/>).</summary>
internal sealed class FlowMatchEulerDiscreteScheduler : FlowScheduler
{
    public static readonly string[] Keys =
    [
        "num_train_timesteps", "shift", "use_dynamic_shifting", "base_shift", "max_shift", "base_image_seq_len", "max_image_seq_len",
        "invert_sigmas", "shift_terminal", "time_shift_type", .. SigmaSpacing.Keys,
    ];

    private readonly SigmaSpacing sigmaSpacing;
    private readonly bool dynamic;
    private readonly bool linearTime;
    private readonly double baseShift, maxShift;
    private readonly int baseTokens, maxTokens;
    private readonly double terminal;
    private readonly bool inverted;

    public FlowMatchEulerDiscreteScheduler(ModelConfig config) : base(config)
    {
        sigmaSpacing = new SigmaSpacing(config);
        dynamic = config.Bool("use_dynamic_shifting", false);
        linearTime = config.Choice("time_shift_type", "exponential", "linear") == 1;
        (baseShift, maxShift) = (config.Double("base_shift", 0.5), config.Double("max_shift", 1.15));
        (baseTokens, maxTokens) = (config.Int("base_image_seq_len", 256), config.Int("max_image_seq_len", 4096));
        if (maxTokens <= baseTokens) throw config.Wrong("max_image_seq_len", $"above base_image_seq_len, {baseTokens}");
        terminal = config.Has("shift_terminal") ? config.Double("shift_terminal") : 0;
        if (terminal is < 0 or >= 1) throw config.Wrong("shift_terminal", "at least 0 and below 1");
        inverted = config.Bool("invert_sigmas", false);
    }

    public override string Name => nameof(FlowMatchEulerDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => 0;

    private protected override bool SigmasRise => inverted;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        double[] sigmas = request.Sigmas is { } custom ? FromZero(CustomSigmas(custom)) : Even(request.Steps!.Value, shifted: !dynamic);
        sigmas = dynamic ? TimeShifted(sigmas, MuOf(request)) : [.. sigmas.Select(Shifted)];
        if (terminal > 0) sigmas = Stretched(sigmas);
        if (sigmaSpacing.Kind is not null) sigmas = sigmaSpacing.Sigmas(sigmas[0], sigmas[^1], sigmas.Length);
        sigmas = SigmaTable.Rounded(sigmas);
        if (inverted) sigmas = [.. sigmas.Select(sigma => (double)(1 - (float)sigma))];
        return new(Timesteps(sigmas), [.. sigmas, inverted ? 1 : 0], 1);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        double sigma = tables.Sigmas[index];
        step.Denoise(Denoised(sigma));
        step.Combine(Slot.Sample, (Slot.Sample, 1), (Slot.ModelOutput, tables.Sigmas[index + 1] - sigma));
    }

    /// <summary>Custom levels without the final one, which a run of this method has by itself.</summary>
    private double[] FromZero(double[] sigmas) => sigmas[^1] == 0 && sigmas[0] <= 1 ? sigmas[..^1]
        : throw new DiffusionRequestException(nameof(ScheduleRequest.Sigmas),
            $"{Name}: sigmas go from {sigmas[0]:R} to {sigmas[^1]:R}; they must begin at 1 or less and end at 0.");

    /// <summary>μ, linear in the number of the image's tokens.</summary>
    private double MuOf(ScheduleRequest request)
    {
        if (request.Mu is { } mu) return mu;
        if (request.ImageTokens is not { } tokens)
            throw new DiffusionRequestException(nameof(ScheduleRequest.ImageTokens),
                $"{Name}: the image's tokens are absent; with use_dynamic_shifting they, or Mu, must be given.");
        double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
        return tokens * slope + (baseShift - slope * baseTokens);
    }

    private double[] TimeShifted(double[] sigmas, double mu)
    {
        double scale = linearTime ? mu : Math.Exp(mu);
        return scale > 0 ? [.. sigmas.Select(sigma => scale / (scale + (1 / sigma - 1)))]
            : throw new DiffusionRequestException(nameof(ScheduleRequest.Mu),
                $"{Name}: mu is {mu:R}; with time_shift_type linear it must be above 0.");
    }

    /// <summary>Stretches 1 − σ so that the last σ is shift_terminal.</summary>
    private double[] Stretched(double[] sigmas) => sigmas[^1] < 1
        ? [.. sigmas.Select(sigma => 1 - (1 - sigma) / ((1 - sigmas[^1]) / (1 - terminal)))]
        : throw new DiffusionRequestException(nameof(ScheduleRequest.Steps),
            $"{Name}: steps is {sigmas.Length}; with shift_terminal it must be at least 2, to end below noise alone.");
}
