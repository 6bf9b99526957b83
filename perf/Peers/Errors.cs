namespace ILGpuDiffusion.Peers;

/// <summary>Differences between two results.</summary>
internal static class Errors
{
    /// <summary>Rms of the difference over the expected values' rms.</summary>
    public static double Relative(IReadOnlyList<double> actual, float[] expected)
    {
        if (actual.Count != expected.Length)
            throw new InvalidOperationException($"The results have {actual.Count} and {expected.Length} numbers.");
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            size += (double)expected[i] * expected[i];
        }

        return Math.Sqrt(difference / size);
    }

    /// <summary>The same for floats.</summary>
    public static double Relative(float[] actual, float[] expected) => Relative([.. actual.Select(v => (double)v)], expected);
}
