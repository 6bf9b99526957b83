using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Which settings of <see cref="DPMSigmas"/> a class has.</summary>
[Flags]
internal enum DPMSettings
{
    /// <summary>timestep_spacing and steps_offset; else linspace.</summary>
    Spacing = 1,

    /// <summary>use_lu_lambdas.</summary>
    EvenLambdas = 2,

    /// <summary>lambda_min_clipped.</summary>
    ClippedLambda = 4,

    /// <summary>final_sigmas_type; else sigma_min.</summary>
    FinalSigma = 8,

    /// <summary>sigma_min repeats the last sigma where sigmas come from a formula; else it is the smallest of training.</summary>
    RepeatsLast = 16,

    /// <summary>rescale_betas_zero_snr.</summary>
    ZeroSnr = 32,
}

/// <summary>
/// Timesteps and sigmas of the solvers in λ: from the timestep spacing, from a formula for σ, evenly spaced in λ (use_lu_lambdas), or
/// those of rectified flow (use_flow_sigmas).
/// </summary>
internal sealed class DPMSigmas
{
    private readonly TimestepSpacing timestepSpacing;
    private readonly SigmaSpacing sigmaSpacing;
    private readonly bool evenLambdas;
    private readonly double flowShift;
    private readonly int lastTimestep;
    private readonly bool repeatsLast;
    private readonly TrainingNoise training;

    /// <summary>Reads the keys of <see cref="KeysOf"/>, but for those of the betas.</summary>
    public DPMSigmas(ModelConfig config, TrainingNoise training, DPMSettings settings)
    {
        this.training = training;
        timestepSpacing = settings.HasFlag(DPMSettings.Spacing) ? new TimestepSpacing(config, training.Count, "linspace")
            : TimestepSpacing.Linspace(training.Count);
        sigmaSpacing = new SigmaSpacing(config);
        evenLambdas = settings.HasFlag(DPMSettings.EvenLambdas) && config.Bool("use_lu_lambdas", false);
        IsFlow = config.Bool("use_flow_sigmas", false);
        flowShift = config.IsNull("flow_shift") && !IsFlow ? 1 : config.Double("flow_shift", 1);
        if (flowShift <= 0) throw config.Wrong("flow_shift", "above 0");
        EndsAtZero = settings.HasFlag(DPMSettings.FinalSigma) && config.Choice("final_sigmas_type", "zero", "sigma_min") == 0;
        repeatsLast = settings.HasFlag(DPMSettings.RepeatsLast) && (sigmaSpacing.Kind is not null || IsFlow);
        double least = settings.HasFlag(DPMSettings.ClippedLambda) ? config.Double("lambda_min_clipped", double.NegativeInfinity)
            : double.NegativeInfinity;
        lastTimestep = training.AlphasCumprod.Count(a => MathF.Log(MathF.Sqrt(a)) - MathF.Log(MathF.Sqrt(1 - a)) >= least);
        if (lastTimestep < 1) throw config.Wrong("lambda_min_clipped", "low enough to leave at least one timestep");
    }

    /// <summary>The keys that a class with these settings reads for its betas and sigmas.</summary>
    public static string[] KeysOf(DPMSettings settings)
    {
        return
        [
            .. BetaSchedule.Keys, .. SigmaSpacing.Keys, "use_flow_sigmas", "flow_shift",
            .. If(DPMSettings.Spacing, TimestepSpacing.Keys), .. If(DPMSettings.EvenLambdas, "use_lu_lambdas"),
            .. If(DPMSettings.ClippedLambda, "lambda_min_clipped"), .. If(DPMSettings.FinalSigma, "final_sigmas_type"),
            .. If(DPMSettings.ZeroSnr, "rescale_betas_zero_snr"),
        ];

        string[] If(DPMSettings setting, params string[] keys) => settings.HasFlag(setting) ? keys : [];
    }

    /// <summary>Whether latents are (1 − σ)·x0 + σ·ε instead of the variance-preserving mixture.</summary>
    public bool IsFlow { get; }

    /// <summary>Whether the run ends at σ = 0 instead of the smallest σ of training.</summary>
    public bool EndsAtZero { get; }

    /// <summary>Timesteps for the model, and sigmas including the final one.</summary>
    public (double[] Timesteps, double[] Sigmas) Tables(int steps)
    {
        double[] sigmas;
        double[] timesteps;
        if (sigmaSpacing.Kind is { } kind)
        {
            sigmas = sigmaSpacing.Sigmas(training.Sigmas[^1], training.Sigmas[0], steps);
            timesteps = ToTimesteps(sigmas, round: kind == "use_karras_sigmas"); // the others truncate
        }
        else if (evenLambdas)
        {
            sigmas = [.. Grid.Linspace(training.LogSigmas[^1], training.LogSigmas[0], steps).Select(Math.Exp)];
            timesteps = ToTimesteps(sigmas, round: true);
        }
        else if (IsFlow)
        {
            sigmas = [.. Grid.Linspace(1, 1.0 / training.Count, steps + 1).Select(alpha => Shifted(1 - alpha)).Skip(1).Reverse()];
            timesteps = [.. sigmas.Select(sigma => Math.Truncate(sigma * training.Count))];
        }
        else
        {
            timesteps = timestepSpacing.Timesteps(steps, whole: true, lastTimestep, spare: 1);
            sigmas = AtTimesteps(timesteps);
        }

        return (timesteps, Ended(sigmas));
    }

    /// <summary>Tables for custom timesteps.</summary>
    /// <exception cref="DiffusionRequestException">The config takes its sigmas from a formula.</exception>
    public (double[] Timesteps, double[] Sigmas) Tables(double[] custom, Scheduler scheduler)
    {
        string? formula = sigmaSpacing.Kind ?? (evenLambdas ? "use_lu_lambdas" : IsFlow ? "use_flow_sigmas" : null);
        return formula is null ? (custom, Ended(AtTimesteps(custom)))
            : throw scheduler.Refuse(nameof(ScheduleRequest.Timesteps), $"custom timesteps with {formula}");
    }

    private double Shifted(double sigma) => flowShift * sigma / (1 + (flowShift - 1) * sigma);

    private double[] AtTimesteps(double[] timesteps) => [.. timesteps.Select(t => SigmaTable.At(training.Sigmas, t))];

    private double[] ToTimesteps(double[] sigmas, bool round) =>
        [.. sigmas.Select(sigma => SigmaTable.ToTimestep(training.LogSigmas, sigma)).Select(t => round ? Math.Round(t) : Math.Truncate(t))];

    private double[] Ended(double[] sigmas) =>
        SigmaTable.Rounded(sigmas.Append(EndsAtZero ? 0 : repeatsLast ? sigmas[^1] : training.Sigmas[0]));
}
