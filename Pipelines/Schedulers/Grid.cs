namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Evenly spaced numbers, rounded at the same places as in NumPy and PyTorch, so that tables equal diffusers'.</summary>
internal static class Grid
{
    /// <summary>NumPy's linspace in double. A count of 1 gives <paramref name="start"/>.</summary>
    public static double[] Linspace(double start, double stop, int count, bool endpoint = true)
    {
        var values = new double[count];
        double step = (stop - start) / (endpoint ? Math.Max(count - 1, 1) : count);
        for (int i = 0; i < count; i++) values[i] = i * step + start;
        if (endpoint && count > 1) values[^1] = stop;
        return values;
    }

    /// <summary>
    /// PyTorch's linspace in float32 on the CPU: the first half counts up from the start, the second down from the end, in vectors of eight
    /// whose first lane is rounded once (fused) and whose other lanes add rounded multiples of the step to it. A count of 1 gives
    /// <paramref name="start"/>.
    /// </summary>
    public static float[] LinspaceFloat(float start, float stop, int count)
    {
        const int lanes = 8;
        var values = new float[count];
        if (count == 1) return [start];
        float step = (stop - start) / (count - 1);
        int half = count / 2;
        for (int i = 0; i < count; i++)
        {
            int first = i < count / lanes * lanes ? i / lanes * lanes : i; // the tail is computed one by one
            float origin = first < half ? MathF.FusedMultiplyAdd(step, first, start)
                : MathF.FusedMultiplyAdd(-step, count - first - 1, stop);
            values[i] = origin + step * (i - first);
        }

        return values;
    }

    /// <summary>Reverses an array in place and returns it.</summary>
    public static T[] Reversed<T>(T[] values)
    {
        Array.Reverse(values);
        return values;
    }
}
