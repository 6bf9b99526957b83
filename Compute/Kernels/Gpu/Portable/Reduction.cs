using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// Sums and extremes over a group, in a fixed order. With sub-groups, each joins its values by exchange and writes one; then every work item joins
/// those few. Without, each work item writes its value; sixteen of them join sixteenths of all; then every one joins those sixteen. No barrier stands
/// in a loop, and few are waited for.
/// </summary>
/// <remarks>All work items of a sub-group get the very same bits, because a + b = b + a.</remarks>
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
        if (TLanes.HasSubGroups)
        {
            for (int distance = SubGroup.Size() >> 1; distance > 0; distance >>= 1) value += SubGroup.Exchange(value, distance);
            if (SubGroup.Lane() == 0) shared[SubGroup.Number()] = value;
            Block.Sync();
            int subGroups = TLanes.Count / SubGroup.Size();
            float total = shared[0];
            for (int i = 1; i < subGroups; i++) total += shared[i];
            Block.Sync();
            return total;
        }

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
        if (TLanes.HasSubGroups)
        {
            for (int distance = SubGroup.Size() >> 1; distance > 0; distance >>= 1)
            {
                float other = SubGroup.Exchange(value, distance);
                value = other > value ? other : value;
            }

            if (SubGroup.Lane() == 0) shared[SubGroup.Number()] = value;
            Block.Sync();
            int subGroups = TLanes.Count / SubGroup.Size();
            float largest = shared[0];
            for (int i = 1; i < subGroups; i++) largest = shared[i] > largest ? shared[i] : largest;
            Block.Sync();
            return largest;
        }

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
        if (TLanes.HasSubGroups)
        {
            for (int distance = SubGroup.Size() >> 1; distance > 0; distance >>= 1) value += SubGroup.ExchangeInteger(value, distance);
            if (SubGroup.Lane() == 0) shared[SubGroup.Number()] = value;
            Block.Sync();
            int subGroups = TLanes.Count / SubGroup.Size();
            int total = shared[0];
            for (int i = 1; i < subGroups; i++) total += shared[i];
            Block.Sync();
            return total;
        }

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
        if (TLanes.HasSubGroups)
        {
            for (int distance = SubGroup.Size() >> 1; distance > 0; distance >>= 1)
            {
                int other = SubGroup.ExchangeInteger(value, distance);
                value = other < value ? other : value;
            }

            if (SubGroup.Lane() == 0) shared[SubGroup.Number()] = value;
            Block.Sync();
            int subGroups = TLanes.Count / SubGroup.Size();
            int smallest = shared[0];
            for (int i = 1; i < subGroups; i++) smallest = shared[i] < smallest ? shared[i] : smallest;
            Block.Sync();
            return smallest;
        }

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
