namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How kernels are tuned.</summary>
public sealed record TunerOptions
{
    /// <summary>How much faster a change must be, so that noise does not count: 0.03 is 3 %.</summary>
    public double Margin { get; init; } = 0.03;

    /// <summary>How often both sides of a comparison are timed, in turns. The median ratio decides, and three quarters of the ratios must agree.</summary>
    public int Pairs { get; init; } = 5;

    /// <summary>Whether, once no single step helps, steps along several coordinates at once are tried. Inductor's <c>coordinate_descent_check_all_directions</c>.</summary>
    public bool CheckAllDirections { get; init; }

    /// <summary>Whether only settings count that change no bit of a result: the kernel stays, and so does the order of its sums (<see cref="TuningSpace.ChangesBits"/>).</summary>
    public bool SameBits { get; init; }

    /// <summary>How long one op's search may take; what was found until then counts.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(4);
}

/// <summary>Times choices of one call.</summary>
public interface IKernelTimer
{
    /// <summary>One timing of a choice, in seconds.</summary>
    double Time(KernelChoice choice);
}

/// <summary>What a search found.</summary>
/// <param name="Best">The fastest choice: the first one, unless another was faster by the margin in a comparison of its own at the end.</param>
/// <param name="DefaultSeconds">Median time of the first choice.</param>
/// <param name="Seconds">Median time of the best choice, taken in turns with the first.</param>
/// <param name="Tried">How many choices were timed.</param>
/// <param name="Complete">Whether the search ended because nothing helped any more, and not because its time was up.</param>
public sealed record TunerResult(KernelChoice Best, double DefaultSeconds, double Seconds, int Tried, bool Complete)
{
    /// <summary>How many times as fast the best choice is as the first.</summary>
    public double Gain => DefaultSeconds / Seconds;
}
