namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>An ancestral step: down to a level below the target, then noise on top.</summary>
internal static class AncestralStep
{
    /// <summary>
    /// Splits the step: up² + down² = to², with up² = to²·(from² − to²)/from². When sigma falls steeply, down² is a small difference of
    /// float32 numbers in diffusers; it is computed in float32 here too, and down is the exact to²/from where that difference is negative.
    /// </summary>
    public static (double Up, double Down) Split(float from, float to)
    {
        float up = MathF.Sqrt(to * to * (from * from - to * to) / (from * from));
        float rest = to * to - up * up;
        return (up, rest >= 0 ? MathF.Sqrt(rest) : (double)to * to / from);
    }
}
