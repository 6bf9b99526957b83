namespace ILGpuDiffusion.Compute;

/// <summary>Which row of a broadcast tensor belongs to a row of the full one.</summary>
internal sealed class Broadcast
{
    private readonly int[] sizes; // of the full tensor's rows, innermost first
    private readonly long[] strides; // in rows of the other; 0 where it is repeated

    public Broadcast(Shape full, Shape other)
    {
        int count = Math.Max(full.Rank - 1, 0);
        (sizes, strides) = (new int[count], new long[count]);
        long stride = 1;
        for (int i = 0; i < count; i++)
        {
            sizes[i] = full[^(i + 2)];
            int size = i + 2 <= other.Rank ? other[^(i + 2)] : 1;
            strides[i] = size == 1 ? 0 : stride;
            stride *= size;
        }
    }

    /// <summary>The other tensor's row.</summary>
    public long Row(int row)
    {
        long found = 0;
        for (int i = 0; i < sizes.Length && row > 0; i++)
        {
            (row, int index) = Math.DivRem(row, sizes[i]);
            found += index * strides[i];
        }

        return found;
    }
}
