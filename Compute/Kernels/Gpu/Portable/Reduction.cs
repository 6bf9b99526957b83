using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// Sums and extremes over a group, in a fixed order. Each work item writes its value; sixteen of them join sixteenths of all; then every one joins those
/// sixteen. No barrier stands in a loop, and few are waited for.
/// </summary>
internal static class Reduction
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int Few = 16;

    /// <summary>Σ over the group, for every work item.</summary>
    /// <param name="value">This work item's summand.</param>
    /// <param name="shared">As many elements of shared memory as the group has work items; free again afterwards.</param>
    [MethodImpl(Inline)]
    public static float Sum<TLanes>(float value, ArrayView<float> shared) where TLanes : struct, IGroupLanes
    {
        int lane = Group.IdxX;
        shared[lane] = value;
        Block.Sync();
        if (TLanes.Count > Few)
        {
            float part = 0f;
            if (lane < Few)
                for (int i = lane; i < TLanes.Count; i += Few) part += shared[i];
            Block.Sync();
            if (lane < Few) shared[lane] = part;
            Block.Sync();
        }

        float sum = 0f;
        for (int i = 0; i < Few; i++) sum += shared[i];
        Block.Sync();
        return sum;
    }

    /// <summary>The largest value of the group, for every work item; NaN loses against any number.</summary>
    [MethodImpl(Inline)]
    public static float Max<TLanes>(float value, ArrayView<float> shared) where TLanes : struct, IGroupLanes
    {
        int lane = Group.IdxX;
        shared[lane] = value;
        Block.Sync();
        if (TLanes.Count > Few)
        {
            float part = value;
            if (lane < Few)
                for (int i = lane; i < TLanes.Count; i += Few) part = shared[i] > part ? shared[i] : part;
            Block.Sync();
            if (lane < Few) shared[lane] = part;
            Block.Sync();
        }

        float max = shared[0];
        for (int i = 1; i < Few; i++) max = shared[i] > max ? shared[i] : max;
        Block.Sync();
        return max;
    }

    /// <summary>Σ over the group of whole numbers, for every work item.</summary>
    [MethodImpl(Inline)]
    public static int Sum<TLanes>(int value, ArrayView<int> shared) where TLanes : struct, IGroupLanes
    {
        int lane = Group.IdxX;
        shared[lane] = value;
        Block.Sync();
        if (TLanes.Count > Few)
        {
            int part = 0;
            if (lane < Few)
                for (int i = lane; i < TLanes.Count; i += Few) part += shared[i];
            Block.Sync();
            if (lane < Few) shared[lane] = part;
            Block.Sync();
        }

        int sum = 0;
        for (int i = 0; i < Few; i++) sum += shared[i];
        Block.Sync();
        return sum;
    }

    /// <summary>The smallest whole number of the group, for every work item.</summary>
    [MethodImpl(Inline)]
    public static int Min<TLanes>(int value, ArrayView<int> shared) where TLanes : struct, IGroupLanes
    {
        int lane = Group.IdxX;
        shared[lane] = value;
        Block.Sync();
        if (TLanes.Count > Few)
        {
            int part = value;
            if (lane < Few)
                for (int i = lane; i < TLanes.Count; i += Few) part = shared[i] < part ? shared[i] : part;
            Block.Sync();
            if (lane < Few) shared[lane] = part;
            Block.Sync();
        }

        int min = shared[0];
        for (int i = 1; i < Few; i++) min = shared[i] < min ? shared[i] : min;
        Block.Sync();
        return min;
    }
}
