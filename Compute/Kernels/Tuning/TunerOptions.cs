namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Options of kernel tuning.</summary>
public sealed record TunerOptions
{
    /// <summary>Least relative gain that counts as faster, above the noise: 0.03 is 3 %.</summary>
    public double Margin { get; init; } = 0.03;

    /// <summary>
    /// Number of timings of both sides of a comparison, in alternation. The median ratio decides, and three quarters of the ratios must
    /// agree.
    /// </summary>
    public int Pairs { get; init; } = 5;

    /// <summary>
    /// Whether to try steps along several coordinates at once when no single step helps. Inductor's
    /// <c>coordinate_descent_check_all_directions</c>.
    /// </summary>
    public bool CheckAllDirections { get; init; }

    /// <summary>
    /// Whether to keep the bits of the result: the variant and the order of its sums stay the same (<see cref="TuningSpace.ChangesBits"/>).
    /// </summary>
    public bool SameBits { get; init; }

    /// <summary>Time budget of one op's search; the best choice found so far is kept.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(4);
}

/// <summary>Times choices of one call.</summary>
public interface IKernelTimer
{
    /// <summary>One timing of a choice, in seconds.</summary>
    double Time(KernelChoice choice);
}

/// <summary>Result of a search.</summary>
/// <param name="Best">The fastest choice: the default, unless another was faster by the margin in a final comparison.</param>
/// <param name="DefaultSeconds">Median time of the default choice.</param>
/// <param name="Seconds">Median time of the best choice, timed in alternation with the default.</param>
/// <param name="Tried">Number of choices timed.</param>
/// <param name="Complete">Whether the search converged, rather than ran out of time.</param>
public sealed record TunerResult(KernelChoice Best, double DefaultSeconds, double Seconds, int Tried, bool Complete)
{
    /// <summary>Speed of the best choice relative to the default.</summary>
    public double Gain => DefaultSeconds / Seconds;
}
