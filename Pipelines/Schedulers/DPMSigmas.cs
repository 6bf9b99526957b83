using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Timesteps and sigmas of DPM-Solver and UniPC: from the timestep spacing, from a formula for σ, evenly spaced in λ (use_lu_lambdas), or
/// those of rectified flow (use_flow_sigmas).
/// </summary>
internal sealed class DPMSigmas
{
    /// <summary>The keys that the constructor reads for both.</summary>
    public static readonly string[] SharedKeys =
        [.. TimestepSpacing.Keys, .. SigmaSpacing.Keys, "use_flow_sigmas", "flow_shift", "final_sigmas_type"];

    /// <summary>The keys that the constructor reads for DPM-Solver.</summary>
    public static readonly string[] Keys = [.. SharedKeys, "use_lu_lambdas", "lambda_min_clipped"];

    private readonly TrainingNoise training;
    private readonly TimestepSpacing timestepSpacing;
    private readonly SigmaSpacing sigmaSpacing;
    private readonly bool evenLambdas;
    private readonly double flowShift;
    private readonly int lastTimestep;
    private readonly bool repeatsLast;

    /// <summary>
    /// Reads the keys. UniPC (<paramref name="forUniPC"/>) has fewer, and where its sigmas come from a formula, final_sigmas_type sigma_min
    /// repeats the last one.
    /// </summary>
    public DPMSigmas(ModelConfig config, TrainingNoise training, bool forUniPC)
    {
        this.training = training;
        timestepSpacing = new TimestepSpacing(config, training.Count, "linspace");
        sigmaSpacing = new SigmaSpacing(config);
        evenLambdas = !forUniPC && config.Bool("use_lu_lambdas", false);
        IsFlow = config.Bool("use_flow_sigmas", false);
        flowShift = config.IsNull("flow_shift") && !IsFlow ? 1 : config.Double("flow_shift", 1);
        if (flowShift <= 0) throw config.Wrong("flow_shift", "above 0");
        EndsAtZero = config.Choice("final_sigmas_type", "zero", "sigma_min") == 0;
        repeatsLast = forUniPC && (sigmaSpacing.Kind is not null || IsFlow);
        double least = forUniPC ? double.NegativeInfinity : config.Double("lambda_min_clipped", double.NegativeInfinity);
        lastTimestep = training.AlphasCumprod.Count(a => MathF.Log(MathF.Sqrt(a)) - MathF.Log(MathF.Sqrt(1 - a)) >= least);
        if (lastTimestep < 1) throw config.Wrong("lambda_min_clipped", "low enough to leave at least one timestep");
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
