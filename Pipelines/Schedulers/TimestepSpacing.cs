using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The training timesteps that a run visits, falling (timestep_spacing and steps_offset; Lin et al., 2023, arXiv:2305.08891, table 2).
/// </summary>
internal sealed class TimestepSpacing
{
    /// <summary>The keys that the constructor reads.</summary>
    public static readonly string[] Keys = ["timestep_spacing", "steps_offset"];

    private readonly string kind;
    private readonly int offset;
    private readonly int trainTimesteps;

    /// <summary>Reads spacing and offset; <paramref name="fallback"/> is the class's default spacing.</summary>
    public TimestepSpacing(ModelConfig config, int trainTimesteps, string fallback)
    {
        (kind, this.trainTimesteps) = (config.String("timestep_spacing", fallback), trainTimesteps);
        offset = config.IsNull("steps_offset") && !IsLeading ? 0 : config.Int("steps_offset", 0); // only leading uses it
        if (kind is not ("leading" or "trailing" or "linspace")) throw config.Wrong("timestep_spacing", "leading, trailing or linspace");
        if (offset < 0 || offset >= trainTimesteps) throw config.Wrong("steps_offset", $"between 0 and {trainTimesteps - 1}");
    }

    private TimestepSpacing(string kind, int trainTimesteps) => (this.kind, this.trainTimesteps) = (kind, trainTimesteps);

    /// <summary>The spacing of a class without these keys.</summary>
    public static TimestepSpacing Linspace(int trainTimesteps) => new("linspace", trainTimesteps);

    /// <summary>Whether the spacing is leading, whose first timestep is below the noisiest.</summary>
    public bool IsLeading => kind == "leading";

    /// <summary>The run's timesteps.</summary>
    /// <param name="steps">Number of steps.</param>
    /// <param name="whole">Whether linspace is rounded to whole timesteps; Euler keeps the fractions.</param>
    /// <param name="last">One past the largest timestep; below the number in training where the schedule is cut
    /// (lambda_min_clipped).</param>
    /// <param name="spare">1: space as for one step more and omit the cleanest (DPM-Solver, whose end is not a timestep); without effect on
    /// trailing.</param>
    public double[] Timesteps(int steps, bool whole, int? last = null, int spare = 0)
    {
        int end = last ?? trainTimesteps;
        switch (kind)
        {
            case "linspace":
                var points = Grid.Linspace(0, end - 1, steps + spare);
                return [.. Grid.Reversed(points).Take(steps).Select(t => whole ? Math.Round(t) : (float)t)];
            case "leading":
                int ratio = end / (steps + spare);
                return [.. Enumerable.Range(0, steps).Select(i => (double)(steps + spare - 1 - i) * ratio + offset)];
            default:
                return Trailing(end, (double)trainTimesteps / steps);
        }
    }

    /// <summary>
    /// Down from the end, at most one per <paramref name="ratio"/>. NumPy's arange, which diffusers uses, rounds its length up: for 61 of
    /// 1000 steps, for example, it yields a 62nd timestep of −1, which is omitted here.
    /// </summary>
    private static double[] Trailing(int end, double ratio)
    {
        var timesteps = new List<double>();
        double stride = end - (end - ratio);
        for (int i = 0; i < Math.Ceiling(end / ratio); i++)
        {
            double t = Math.Round(end - i * stride) - 1;
            if (t >= 0) timesteps.Add(t);
        }

        return [.. timesteps];
    }
}
