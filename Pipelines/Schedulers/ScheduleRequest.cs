using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Parameters of one run. Exactly one of <see cref="Steps"/>, <see cref="Timesteps"/>, <see cref="Sigmas"/> is given.</summary>
public sealed record ScheduleRequest
{
    /// <summary>Number of denoising steps, 1 … num_train_timesteps; null with custom timesteps or sigmas.</summary>
    public int? Steps { get; init; }

    /// <summary>Custom timesteps, falling, each in 0 … num_train_timesteps − 1. Supported by Euler, Heun, DDPM,
    /// DPM-Solver, LCM and TCD.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>
    /// Custom sigmas, falling; the last one is the final noise level (usually 0), so n + 1 sigmas make n steps. Supported by Euler
    /// and, before their shift, FlowMatchEuler.
    /// </summary>
    public IReadOnlyList<double>? Sigmas { get; init; }

    /// <summary>
    /// η of DDIM, 0 (deterministic) … 1 (as noisy as DDPM), and of TCD, where it is γ. Other schedulers ignore it, as diffusers does.
    /// </summary>
    public double Eta { get; init; }

    /// <summary>DDIM: recompute ε from the clipped x0. Without clipping it has no effect.</summary>
    public bool UseClippedModelOutput { get; init; }

    /// <summary>Euler's stochasticity (Karras et al., 2022, algorithm 2): noise added per run; 0 is the plain Euler method.</summary>
    public double SChurn { get; init; }

    /// <summary>Euler: the smallest sigma at which noise is added.</summary>
    public double STMin { get; init; }

    /// <summary>Euler: the largest sigma at which noise is added.</summary>
    public double STMax { get; init; } = double.PositiveInfinity;

    /// <summary>Euler: standard deviation of the added noise.</summary>
    public double SNoise { get; init; } = 1;

    /// <summary>
    /// Tokens of the image in the model, such as latent height · latent width / 4. Rectified flow with use_dynamic_shifting needs it,
    /// unless <see cref="Mu"/> is given.
    /// </summary>
    public int? ImageTokens { get; init; }

    /// <summary>The shift of rectified flow with use_dynamic_shifting; null computes it from <see cref="ImageTokens"/>.</summary>
    public double? Mu { get; init; }

    /// <summary>A request for a number of steps, with all other settings at their defaults.</summary>
    public static implicit operator ScheduleRequest(int steps) => FromInt32(steps);

    /// <summary>A request for a number of steps, with all other settings at their defaults.</summary>
    public static ScheduleRequest FromInt32(int steps) => new() { Steps = steps };

    internal void Check()
    {
        int given = (Steps is null ? 0 : 1) + (Timesteps is null ? 0 : 1) + (Sigmas is null ? 0 : 1);
        if (given != 1)
            throw new DiffusionRequestException(nameof(Steps),
                $"scheduler: {given} of steps, timesteps and sigmas are given; give exactly one.");
        Range(nameof(Eta), Eta, 0, 1);
        Range(nameof(SChurn), SChurn, 0, double.MaxValue);
        Range(nameof(STMin), STMin, 0, double.MaxValue);
        Range(nameof(STMax), STMax, 0, double.PositiveInfinity);
        Range(nameof(SNoise), SNoise, 0, double.MaxValue);
        Range(nameof(ImageTokens), ImageTokens ?? 1, 1, int.MaxValue);
        Range(nameof(Mu), Mu ?? 0, -100, 100);
    }

    private static void Range(string name, double value, double low, double high)
    {
        if (!(value >= low && value <= high))
            throw new DiffusionRequestException(name, $"scheduler: {name} is {value:R}; it must be between {low:R} and {high:R}.");
    }
}
