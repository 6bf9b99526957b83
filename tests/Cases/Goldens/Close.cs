using System.Globalization;
using Xunit;

namespace ILGpuDiffusion.Cases;

/// <summary>Compares float values with expected ones by the largest difference relative to the expected values' root mean square.</summary>
public static class Close
{
    /// <summary>
    /// Fails the running test unless lengths agree and max |actual − expected| ≤ tolerance · rms. A NaN on one side only is a difference.
    /// </summary>
    /// <param name="name">What is compared, for the message.</param>
    /// <param name="actual">Computed values.</param>
    /// <param name="expected">Reference values.</param>
    /// <param name="relativeToRms">The tolerance, as a part of the rms.</param>
    /// <param name="rms">The reference's rms; computed from <paramref name="expected"/> if null. If it is 0, the tolerance is
    /// absolute.</param>
    /// <returns>The largest difference divided by the rms, for reports.</returns>
    public static double Check(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double relativeToRms,
        double? rms = null)
    {
        if (actual.Length != expected.Length) Assert.Fail($"{name}: {actual.Length} values; {expected.Length} are expected.");
        if (actual.Length == 0) return 0;
        double scale = rms ?? Rms(expected);
        if (scale == 0) scale = 1;
        int worst = 0, wrong = 0;
        double largest = -1;
        for (int i = 0; i < actual.Length; i++)
        {
            // Equal infinities and two NaNs agree; for any other comparison with a NaN the difference is infinite.
            double difference = actual[i].Equals(expected[i]) ? 0 : Math.Abs((double)actual[i] - expected[i]);
            if (double.IsNaN(difference)) difference = double.PositiveInfinity;
            if (difference > relativeToRms * scale) wrong++;
            if (difference > largest) (largest, worst) = (difference, i);
        }

        if (wrong > 0)
            Assert.Fail(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {wrong} of {actual.Length} values differ too much. Worst at [{worst}]: actual {actual[worst]:g9}, expected "
                    + $"{expected[worst]:g9}, "
                + $"difference {largest / scale:g3} of rms {scale:g4}; allowed {relativeToRms:g3}."));
        return largest / scale;
    }

    /// <summary>Root of the mean square, summed in double.</summary>
    public static double Rms(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += (double)value * value;
        return values.Length == 0 ? 0 : Math.Sqrt(sum / values.Length);
    }
}
