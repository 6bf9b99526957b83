namespace ILGpuDiffusion.Measuring;

/// <summary>Cheap pseudo-random numbers: the sum of two uniform ones, with mean 0 and deviation 1.</summary>
internal static class RandomNumbers
{
    private static readonly double Deviation = Math.Sqrt(1 / 6.0);

    /// <summary>The number at a position of a sequence, mixed as in splitmix64 (Steele et al., 2014).</summary>
    public static double At(int seed, long index)
    {
        ulong x = ((ulong)index + 1) * 0x9E3779B97F4A7C15 + (ulong)seed * 0xD1B54A32D192ED03;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        x ^= x >> 31;
        const double Unit = 1.0 / (1L << 32);
        return ((x >> 32) * Unit + (uint)x * Unit - 1) / Deviation;
    }
}
