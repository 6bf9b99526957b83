using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Maps rows of the full tensor to rows of a broadcast one.</summary>
internal sealed class Broadcast
{
    private readonly int[] sizes; // of the full tensor's rows, innermost first
    private readonly long[] strides; // in rows of the broadcast tensor; 0 for repeated dimensions

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

    /// <summary>Sizes and strides in rows, innermost first. Adjacent dimensions that are all repeated, or all not, are merged.</summary>
    public IReadOnlyList<(int Size, int Stride)> Levels()
    {
        var levels = new List<(int Size, int Stride)>();
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 1) continue;
            int stride = checked((int)strides[i]);
            if (levels.Count > 0 && levels[^1] is var last && (long)last.Size * last.Stride == stride)
                levels[^1] = (last.Size * sizes[i], last.Stride);
            else levels.Add((sizes[i], stride));
        }

        return levels;
    }

    /// <summary>The row of the broadcast tensor.</summary>
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
