using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Order statistics of |x| over one entry. The bits of non-negative floats sort like the numbers, so three counting passes over 11, 11 and
/// 10 bits find any of them, exactly and without a copy.
/// </summary>
internal readonly unsafe struct MagnitudeQuantile(EntryRuns runs, int entry)
{
    private const uint Magnitude = 0x7FFFFFFF, Infinity = 0x7F800000;

    private static ReadOnlySpan<int> DigitStarts => [21, 10, 0];

    /// <summary>
    /// As <c>torch.quantile</c>: rank ratio · (count − 1) in float32, interpolated between the two neighbours. NaN when any element is NaN.
    /// </summary>
    public float At(float ratio)
    {
        float rank = ratio * (runs.Elements - 1);
        long lower = Math.Min((long)rank, runs.Elements - 1);
        float weight = rank - lower;
        uint largest = Largest();
        if (largest > Infinity) return float.NaN;
        var (below, upTo) = Select(lower);
        if (weight <= 0 || lower + 1 >= runs.Elements) return BitConverter.UInt32BitsToSingle(below);
        float a = BitConverter.UInt32BitsToSingle(below), b = upTo > lower + 1 ? a : BitConverter.UInt32BitsToSingle(Above(below));
        return weight < 0.5f ? a + weight * (b - a) : b - (b - a) * (1 - weight);
    }

    /// <summary>Bits of the element at <paramref name="rank"/> in sorted order, and the number of elements that are not greater.</summary>
    private (uint Bits, long UpTo) Select(long rank)
    {
        int* counts = stackalloc int[1 << 11];
        uint prefix = 0, mask = 0;
        long before = 0;
        int top = 32;
        foreach (int shift in DigitStarts)
        {
            var digits = new Span<int>(counts, 1 << (top - shift));
            top = shift;
            digits.Clear();
            for (int run = 0; run < runs.Count; run++)
            {
                uint* x = (uint*)runs.Of(0, entry, run);
                int length = runs.LengthOf(run);
                for (int i = 0; i < length; i++)
                {
                    uint value = x[i] & Magnitude;
                    if ((value & mask) == prefix) digits[(int)(value >> shift) & (digits.Length - 1)]++;
                }
            }

            int digit = 0;
            while (before + digits[digit] <= rank) before += digits[digit++];
            prefix |= (uint)digit << shift;
            mask |= (uint)(digits.Length - 1) << shift;
        }

        return (prefix, before + counts[prefix & 0x3FF]);
    }

    private uint Largest()
    {
        uint largest = 0;
        for (int run = 0; run < runs.Count; run++)
        {
            uint* x = (uint*)runs.Of(0, entry, run);
            int length = runs.LengthOf(run);
            for (int i = 0; i < length; i++) largest = Math.Max(largest, x[i] & Magnitude);
        }

        return largest;
    }

    /// <summary>Bits of the smallest element greater than <paramref name="bits"/>.</summary>
    private uint Above(uint bits)
    {
        uint above = uint.MaxValue;
        for (int run = 0; run < runs.Count; run++)
        {
            uint* x = (uint*)runs.Of(0, entry, run);
            int length = runs.LengthOf(run);
            for (int i = 0; i < length; i++)
            {
                uint value = x[i] & Magnitude;
                if (value > bits && value < above) above = value;
            }
        }

        return above;
    }
}
